// SPDX-License-Identifier: Apache-2.0
// Plain structs as read-only Python classes: each field is named once and appears as an attribute,
// in repr() and in to_dict().
#pragma once

#include <nanobind/nanobind.h>

#include <utility>

namespace inferometer::python {

namespace nb = nanobind;

inline nb::object plain(nb::handle value);

inline nb::object plain_record(nb::handle record) {
  nb::dict fields;
  for (nb::handle name : record.type().attr("__match_args__"))
    fields[name] = plain(nb::getattr(record, name));
  return fields;
}

// Records within lists become dicts too.
inline nb::object plain(nb::handle value) {
  if (nb::hasattr(value.type(), "__match_args__")) return plain_record(value);
  if (!nb::isinstance<nb::list>(value)) return nb::borrow(value);
  nb::list items;
  for (nb::handle item : value) items.append(plain(item));
  return items;
}

inline nb::str describe_record(nb::handle record) {
  nb::list parts;
  for (nb::handle name : record.type().attr("__match_args__"))
    parts.append(nb::str("{}={!r}").format(name, nb::getattr(record, name)));
  return nb::str("{}({})").format(record.type().attr("__name__"),
                                  nb::str(", ").attr("join")(parts));
}

template <class T>
class Record {
 public:
  Record(nb::module_& module, const char* name, const char* doc) : class_(module, name, doc) {
    class_.def("__repr__", [](nb::handle self) { return describe_record(self); });
    class_.def(
        "to_dict",
        [](nb::handle self) { return nb::dict(nb::borrow<nb::dict>(plain_record(self))); },
        "The fields as a dict of plain values, ready for json.dumps.");
  }
  ~Record() { class_.attr("__match_args__") = nb::tuple(names_); }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  template <class Member>
  Record& field(const char* name, Member T::* member, const char* doc) {
    class_.def_ro(name, member, doc);
    names_.append(name);
    return *this;
  }

  template <class Get>
  Record& field(const char* name, Get&& get, const char* doc)
    requires std::is_invocable_v<Get, const T&>
  {
    class_.def_prop_ro(name, std::forward<Get>(get), doc);
    names_.append(name);
    return *this;
  }

 private:
  nb::class_<T> class_;
  nb::list names_;
};

}  // namespace inferometer::python
