// SPDX-License-Identifier: Apache-2.0
#include "ports.hpp"

#include <fmt/format.h>

namespace inferometer::openvino {
namespace {

struct DTypeRow {
  DType dtype;
  ov_element_type_e type;
};
constexpr DTypeRow kDTypes[] = {
    {DType::F32, F32},         {DType::F64, F64}, {DType::F16, F16}, {DType::BF16, BF16},
    {DType::I8, I8},           {DType::I16, I16}, {DType::I32, I32}, {DType::I64, I64},
    {DType::U8, U8},           {DType::U16, U16}, {DType::U32, U32}, {DType::U64, U64},
    {DType::Bool, OV_BOOLEAN},
};

DType dtype_of(ov_element_type_e type, const std::string& port) {
  for (const DTypeRow& row : kDTypes) {
    if (row.type == type) return row.dtype;
  }
  throw Error(Status::Unsupported,
              fmt::format("port \"{}\" has OpenVINO's element type {}, which isn't carried", port,
                          static_cast<int>(type)));
}

using Port = ov_output_const_port_t;

std::string name_of(const Library& library, const Port* port) {
  char* raw = nullptr;
  // A port may have lost all its names; it is addressed by index anyway.
  if (library.port_get_any_name(port, &raw) != OK) return "";
  const std::string name = raw;
  library.free(raw);
  return name;
}

std::vector<std::int64_t> shape_of(const Library& library, const Port* port) {
  ov_partial_shape_t raw{};
  library.check(library.port_get_partial_shape(port, &raw), Status::LoadFailed);
  const std::unique_ptr<ov_partial_shape_t, void (*)(ov_partial_shape_t*)> owned(
      &raw, library.partial_shape_free);
  if (raw.rank.min != raw.rank.max || raw.rank.max > INFEROMETER_MAX_RANK) {
    throw Error(Status::Unsupported, fmt::format("port \"{}\" has no fixed number of axes up to {}",
                                                 name_of(library, port), INFEROMETER_MAX_RANK));
  }
  std::vector<std::int64_t> shape;
  for (std::int64_t axis = 0; axis < raw.rank.max; ++axis) {
    const ov_dimension_t& dim = raw.dims[axis];
    shape.push_back(dim.min == dim.max ? dim.max : -1);
  }
  return shape;
}

plugin::PortInfo port_info(const Library& library, const Port* port) {
  plugin::PortInfo info{.name = name_of(library, port)};
  ov_element_type_e type{};
  library.check(library.port_get_element_type(port, &type), Status::LoadFailed);
  info.dtype = dtype_of(type, info.name);
  info.shape = shape_of(library, port);
  return info;
}

template <class Count, class Get>
std::vector<plugin::PortInfo> ports(const Library& library, const ov_compiled_model_t* compiled,
                                    Count count, Get get) {
  std::size_t size = 0;
  library.check(count(compiled, &size), Status::LoadFailed);
  std::vector<plugin::PortInfo> list;
  for (std::size_t i = 0; i < size; ++i) {
    const auto port = own<Port>(library, library.output_const_port_free,
                                [&](auto** out) { return get(compiled, i, out); });
    list.push_back(port_info(library, port.get()));
  }
  return list;
}

// Owns the partial shapes that a reshape takes.
class PartialShapes {
 public:
  explicit PartialShapes(const Library& library) : library_(library) {}
  ~PartialShapes() {
    for (ov_partial_shape_t& shape : shapes_) library_.partial_shape_free(&shape);
  }
  PartialShapes(const PartialShapes&) = delete;
  PartialShapes& operator=(const PartialShapes&) = delete;

  void add(const std::vector<std::int64_t>& shape) {
    std::vector<ov_dimension_t> dims;
    for (const std::int64_t size : shape) {
      dims.push_back(size < 0 ? ov_dimension_t{-1, -1} : ov_dimension_t{size, size});
    }
    dims.reserve(1);  // a scalar's pointer must not be null
    ov_partial_shape_t made{};
    library_.check(
        library_.partial_shape_create(static_cast<std::int64_t>(shape.size()), dims.data(), &made),
        Status::LoadFailed);
    shapes_.push_back(made);
  }
  const ov_partial_shape_t* data() const noexcept { return shapes_.data(); }

 private:
  const Library& library_;
  std::vector<ov_partial_shape_t> shapes_;
};

std::vector<std::vector<std::int64_t>> input_shapes(const Library& library,
                                                    const ov_model_t* model) {
  std::size_t size = 0;
  library.check(library.model_inputs_size(model, &size), Status::LoadFailed);
  std::vector<std::vector<std::int64_t>> shapes;
  for (std::size_t i = 0; i < size; ++i) {
    const auto port = own<Port>(library, library.output_const_port_free, [&](auto** out) {
      return library.model_const_input_by_index(model, i, out);
    });
    shapes.push_back(shape_of(library, port.get()));
  }
  return shapes;
}

void require_same_ranks(const std::vector<std::vector<std::int64_t>>& found,
                        const std::vector<std::vector<std::int64_t>>& wanted) {
  if (found.size() < wanted.size()) {
    throw Error(Status::Unsupported,
                fmt::format("OpenVINO drops inputs whose values don't matter: of {} it leaves {}",
                            wanted.size(), found.size()));
  }
  bool same = found.size() == wanted.size();
  for (std::size_t i = 0; same && i < found.size(); ++i) same = found[i].size() == wanted[i].size();
  if (same) return;
  throw Error(Status::Invalid,
              fmt::format("the model has {} inputs whose ranks aren't those of the {} "
                          "shapes given",
                          found.size(), wanted.size()));
}

}  // namespace

ov_element_type_e element_type_of(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)].type;
}

std::vector<plugin::PortInfo> input_ports(const Library& library,
                                          const ov_compiled_model_t* compiled) {
  return ports(library, compiled, library.compiled_model_inputs_size,
               library.compiled_model_input_by_index);
}

std::vector<plugin::PortInfo> output_ports(const Library& library,
                                           const ov_compiled_model_t* compiled) {
  return ports(library, compiled, library.compiled_model_outputs_size,
               library.compiled_model_output_by_index);
}

void reshape(const Library& library, ov_model_t* model,
             const std::vector<std::vector<std::int64_t>>& shapes) {
  const auto found = input_shapes(library, model);
  require_same_ranks(found, shapes);
  if (found == shapes) return;
  PartialShapes partial(library);
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    indexes.push_back(i);
    partial.add(shapes[i]);
  }
  library.check(
      library.model_reshape_by_port_indexes(model, indexes.data(), partial.data(), indexes.size()),
      Status::LoadFailed);
}

}  // namespace inferometer::openvino
