// SPDX-License-Identifier: Apache-2.0
#include "graph/onnx_types.hpp"

#include <algorithm>
#include <array>

namespace inferometer::graph {

namespace {

struct Row {
  std::int64_t code;
  DType dtype;
};

constexpr std::array kRows = {Row{1, DType::F32},  Row{2, DType::U8},   Row{3, DType::I8},
                              Row{4, DType::U16},  Row{5, DType::I16},  Row{6, DType::I32},
                              Row{7, DType::I64},  Row{9, DType::Bool}, Row{10, DType::F16},
                              Row{11, DType::F64}, Row{12, DType::U32}, Row{13, DType::U64},
                              Row{16, DType::BF16}};

constexpr std::array<std::string_view, 27> kNames = {"",
                                                     "float",
                                                     "uint8",
                                                     "int8",
                                                     "uint16",
                                                     "int16",
                                                     "int32",
                                                     "int64",
                                                     "string",
                                                     "bool",
                                                     "float16",
                                                     "double",
                                                     "uint32",
                                                     "uint64",
                                                     "complex64",
                                                     "complex128",
                                                     "bfloat16",
                                                     "float8e4m3fn",
                                                     "float8e4m3fnuz",
                                                     "float8e5m2",
                                                     "float8e5m2fnuz",
                                                     "uint4",
                                                     "int4",
                                                     "float4e2m1",
                                                     "float8e8m0",
                                                     "uint2",
                                                     "int2"};

}  // namespace

std::optional<DType> dtype_of_onnx(std::int64_t code) noexcept {
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](Row r) { return r.code == code; });
  return row == kRows.end() ? std::nullopt : std::optional(row->dtype);
}

std::int64_t onnx_code(DType dtype) noexcept {
  return std::find_if(kRows.begin(), kRows.end(), [&](Row r) { return r.dtype == dtype; })->code;
}

std::string_view onnx_type_name(std::int64_t code) noexcept {
  return code > 0 && code < static_cast<std::int64_t>(kNames.size())
             ? kNames[static_cast<std::size_t>(code)]
             : "";
}

}  // namespace inferometer::graph
