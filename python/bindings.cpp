// SPDX-License-Identifier: Apache-2.0
// The extension module: names, docstrings and conversions, nothing else.
#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <string_view>

#include "arrays.hpp"
#include "records.hpp"

namespace inferometer::python {
namespace {

using PlainValue = std::variant<bool, std::int64_t, double, std::string>;
using PlainParams = std::map<std::string, PlainValue>;

Params to_params(const PlainParams& given) {
  Params params;
  for (const auto& [name, plain] : given)
    params.emplace(name, std::visit([](const auto& v) { return ParamValue(v); }, plain));
  return params;
}

PlainValue to_plain(const ParamValue& value) {
  struct Visitor {
    PlainValue operator()(const UntypedText& v) const { return v.text; }
    PlainValue operator()(bool v) const { return v; }
    PlainValue operator()(std::int64_t v) const { return v; }
    PlainValue operator()(double v) const { return v; }
    PlainValue operator()(const std::string& v) const { return v; }
  };
  return std::visit(Visitor{}, value.base());
}

PlainParams to_plain(const Params& params) {
  PlainParams plain;
  for (const auto& [name, value] : params) plain.emplace(name, to_plain(value));
  return plain;
}

// A fixed axis as its size, another as its symbol ("?" when it has none).
std::vector<std::variant<std::int64_t, std::string>> axes(const Port& port) {
  std::vector<std::variant<std::int64_t, std::string>> axes;
  for (const Dim& dim : port.shape) {
    if (dim.size >= 0) {
      axes.emplace_back(dim.size);
    } else {
      axes.emplace_back(dim.symbol.empty() ? "?" : dim.symbol);
    }
  }
  return axes;
}

const char* word(ParamSpec::Type type) {
  constexpr const char* kWords[] = {"bool", "integer", "real", "text"};
  return kWords[static_cast<int>(type)];
}

const char* word(ParamSpec::Scope scope) {
  constexpr const char* kWords[] = {"process", "model", "call"};
  return kWords[static_cast<int>(scope)];
}

const char* word(ParamSpec::Affects affects) {
  constexpr const char* kWords[] = {"compile", "run"};
  return kWords[static_cast<int>(affects)];
}

template <class Body>
auto without_gil(Body&& body) {
  const nb::gil_scoped_release released;
  return body();
}

/// A model's handle. Unloading joins threads or ends a worker, so it lets other Python threads run.
class Handle {
 public:
  explicit Handle(Model model) : model_(std::make_unique<Model>(std::move(model))) {}
  Handle(Handle&&) = default;
  ~Handle() {
    if (model_) without_gil([&] { model_.reset(); });
  }
  const Info& info() const { return model_->info(); }

  nb::object predict(nb::handle x) const {
    const auto input = hold<HeldInput>(x, {"input", 0});
    const Tensor output = without_gil([&] { return model_->predict(input.view); });
    return to_numpy(output);
  }

  nb::list predict_list(const nb::sequence& inputs) const {
    const HeldList<HeldInput> held(inputs, "input");
    const auto outputs = without_gil([&] { return model_->predict(held.views); });
    nb::list arrays;
    for (const Tensor& output : outputs) arrays.append(to_numpy(output));
    return arrays;
  }

  void predict_into(const nb::sequence& inputs, const nb::sequence& outputs) const {
    const HeldList<HeldInput> from(inputs, "input");
    const HeldList<HeldOutput> to(outputs, "output");
    without_gil([&] { model_->predict_into(from.views, to.views); });
  }

  nb::object allocate(const Port& port, std::int64_t rows) const {
    return to_numpy(model_->allocate(port, rows));
  }

 private:
  std::unique_ptr<Model> model_;
};

Handle load_handle(const std::filesystem::path& path, const PlainParams& params) {
  const Params converted = to_params(params);
  return without_gil([&] { return Handle(load(path, converted)); });
}

std::vector<EngineStatus> probe_engines() {
  return without_gil([] { return engines(); });
}

// Whatever bytes an engine or a path put in.
nb::str text_of(std::string_view text) {
  return nb::steal<nb::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

void translate(const std::exception_ptr& caught, void*) {
  try {
    std::rethrow_exception(caught);
  } catch (const Error& error) {
    try {
      const nb::object make = nb::module_::import_("inferometer._errors").attr("make_error");
      nb::dict context;
      for (const auto& [key, value] : error.context()) context[text_of(key)] = text_of(value);
      const nb::object made =
          make(text_of(error.what()), text_of(to_string(error.code())), context);
      PyErr_SetObject(made.type().ptr(), made.ptr());
    } catch (nb::python_error& failure) {
      failure.restore();
    }
  }
}

void bind_records(nb::module_& m) {
  Record<Port>(m, "Port", "A named input or output of a model.")
      .field("name", &Port::name, "The port's name in the model file.")
      .field(
          "dtype", [](const Port& port) { return std::string(to_string(port.dtype)); },
          "Element type: f32, f64, f16, bf16, i8 ... u64 or bool.")
      .field("shape", axes, "Axes, outermost first: a size, or a symbol where any size is taken.")
      .field("batch_axis", &Port::batch_axis,
             "The axis whose rows are independent samples; None: the tensor is passed whole.");

  Record<ParamSpec>(m, "ParamSpec", "What a param of an engine may be.")
      .field("name", &ParamSpec::name, "The key.")
      .field(
          "type", [](const ParamSpec& spec) { return word(spec.type); },
          "bool, integer, real or text.")
      .field(
          "default", [](const ParamSpec& spec) { return to_plain(spec.fallback); },
          "The value when none is given.")
      .field("choices", &ParamSpec::choices, "Allowed texts; empty: any.")
      .field("minimum", &ParamSpec::minimum, "Least number, inclusive, or None.")
      .field("maximum", &ParamSpec::maximum, "Largest number, inclusive, or None.")
      .field("knob", &ParamSpec::knob, "Whether a tuner may move it.")
      .field(
          "scope", [](const ParamSpec& spec) { return word(spec.scope); },
          "process (one value for all loads in a process), model or call.")
      .field(
          "affects", [](const ParamSpec& spec) { return word(spec.affects); },
          "compile (it is part of what a cached artifact is kept for) or run.")
      .field("help", &ParamSpec::help, "One sentence.");

  Record<EngineStatus>(m, "EngineStatus", "Whether an engine can be used here, and how.")
      .field("name", &EngineStatus::name, "The engine's name, as param `engine` takes it.")
      .field("available", &EngineStatus::available, "Whether it can load models here.")
      .field("version", &EngineStatus::version, "Of the engine's library.")
      .field("library", &EngineStatus::library, "The engine's library file; empty: it has none.")
      .field("library_hash", &EngineStatus::library_hash, "XXH3-128 of that file, hex.")
      .field("reason", &EngineStatus::reason, "When unavailable: why, and where we looked.")
      .field("devices", &EngineStatus::devices, "For example cpu, cuda:0.")
      .field("formats", &EngineStatus::formats, "File endings that it takes.")
      .field("params", &EngineStatus::params, "Its own params; empty when unavailable.");

  Record<Info>(m, "Info", "What is known of a loaded model. All durations are nanoseconds.")
      .field("engine", &Info::engine, "The engine that holds the model.")
      .field("engine_choice", &Info::engine_choice, "Why this engine.")
      .field("engine_version", &Info::engine_version, "Of the engine's library.")
      .field("library", &Info::library, "The engine's library file; empty: it has none.")
      .field("library_hash", &Info::library_hash, "XXH3-128 of that file, hex.")
      .field("model_path", &Info::model_path, "The file as given.")
      .field("model_hash", &Info::model_hash,
             "XXH3-128 over the model and its external data, hex; empty when nothing needed it.")
      .field("inputs", &Info::inputs, "Ports, in the order that lists of arrays follow.")
      .field("outputs", &Info::outputs, "Ports, in the order that lists of arrays follow.")
      .field(
          "requested", [](const Info& info) { return to_plain(info.requested); },
          "Params as given, defaults filled in.")
      .field("effective", &Info::effective, "Values read back from the engine, or proved.")
      .field("proof", &Info::proof, "How each effective value is known.")
      .field("load_phases_ns", &Info::load_phases_ns,
             "Nanoseconds of the phases that the engine can tell apart.")
      .field("dynamic_batch", &Info::dynamic_batch,
             "Whether a ragged last batch runs at its true size (else it is padded and cut).")
      .field("from_artifact", &Info::from_artifact,
             "Whether the compiled form came from the artifact cache.")
      .field("synthetic", &Info::synthetic,
             "Whether outputs are made up (engine null): there is no right answer.")
      .field("notes", &Info::notes, "What the caller should know, one sentence each.");
}

void bind_model(nb::module_& m) {
  nb::class_<Handle>(m, "Handle", "A loaded model as the package's Model wraps it.")
      .def_prop_ro("info", &Handle::info, nb::rv_policy::reference_internal)
      .def("predict", &Handle::predict, nb::arg("x").none(), "One array in, one out.")
      .def("predict_list", &Handle::predict_list, nb::arg("inputs"),
           "Arrays in port order in, arrays in port order out.")
      .def("predict_into", &Handle::predict_into, nb::arg("inputs"), nb::arg("outputs"),
           "Both in port order; the outputs are written in place.")
      .def("allocate", &Handle::allocate, nb::arg("port"), nb::arg("rows"),
           "Uninitialised memory for rows of a port that engine and worker need not copy.");
}

}  // namespace

NB_MODULE(_inferometer, m) {
  m.doc() = "The C++ side of package inferometer; import that instead.";
  nb::register_exception_translator(translate);
  bind_records(m);
  bind_model(m);
  m.def("load", load_handle, nb::arg("path"), nb::arg("params"), "Loads a model file.");
  m.def("engines", probe_engines, "Every engine, in the order that engine='auto' tries.");
  m.def("as_bf16", as_bf16, nb::arg("bits"),
        "A uint16 array's memory as a DLPack array of bf16, which keeps it.");
}

}  // namespace inferometer::python
