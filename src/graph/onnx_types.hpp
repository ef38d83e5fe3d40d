// SPDX-License-Identifier: Apache-2.0
// What reader and writer share of the ONNX schema: element types, field numbers, limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "inferometer/tensor.hpp"

namespace inferometer::graph {

inline constexpr std::int64_t kMaxOpset = 28;
inline constexpr std::int64_t kMaxIrVersion = 14;
inline constexpr std::int64_t kWrittenIrVersion = 8;

/// ONNX's number of an element type; nullopt for those that we don't have.
std::optional<DType> dtype_of_onnx(std::int64_t code) noexcept;
std::int64_t onnx_code(DType dtype) noexcept;
/// "string", "complex64", ..., or "" for a number that ONNX doesn't define.
std::string_view onnx_type_name(std::int64_t code) noexcept;

// Field numbers of onnx.proto.
namespace model_field {
enum : std::uint32_t { IrVersion = 1, Producer = 2, Graph = 7, Opset = 8, Functions = 25 };
}
namespace opset_field {
enum : std::uint32_t { Domain = 1, Version = 2 };
}
namespace graph_field {
enum : std::uint32_t {
  Node = 1,
  Name = 2,
  Initializer = 5,
  Input = 11,
  Output = 12,
  ValueInfo = 13,
  Sparse = 15
};
}
namespace node_field {
enum : std::uint32_t { Input = 1, Output = 2, Name = 3, Op = 4, Attribute = 5, Domain = 7 };
}
namespace function_field {
enum : std::uint32_t {
  Name = 1,
  Input = 4,
  Output = 5,
  Node = 7,
  Opset = 9,
  Domain = 10,
  Default = 11
};
}
namespace attribute_field {
enum : std::uint32_t {
  Name = 1,
  F = 2,
  I = 3,
  S = 4,
  T = 5,
  G = 6,
  Floats = 7,
  Ints = 8,
  Strings = 9,
  Type = 20,
  Reference = 21,
  SparseTensor = 22
};
}
namespace tensor_field {
enum : std::uint32_t {
  Dims = 1,
  Type = 2,
  Segment = 3,
  Floats = 4,
  Int32s = 5,
  Strings = 6,
  Int64s = 7,
  Name = 8,
  Raw = 9,
  Doubles = 10,
  Uint64s = 11,
  External = 13,
  Location = 14
};
}
namespace sparse_field {
enum : std::uint32_t { Values = 1, Indices = 2, Dims = 3 };
}
namespace entry_field {
enum : std::uint32_t { Key = 1, Value = 2 };
}
namespace value_field {
enum : std::uint32_t { Name = 1, Type = 2 };
}
namespace type_field {
enum : std::uint32_t { Tensor = 1 };
}
namespace tensor_type_field {
enum : std::uint32_t { Element = 1, Shape = 2 };
}
namespace shape_field {
enum : std::uint32_t { Dim = 1 };
}
namespace dim_field {
enum : std::uint32_t { Value = 1, Symbol = 2 };
}

/// AttributeProto.type.
enum class AttributeType : std::int64_t {
  Undefined = 0,
  Float = 1,
  Int = 2,
  String = 3,
  Tensor = 4,
  Graph = 5,
  Floats = 6,
  Ints = 7,
  Strings = 8,
  SparseTensor = 11
};

}  // namespace inferometer::graph
