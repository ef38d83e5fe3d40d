// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/text.hpp"
#include "inferometer/error.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer {
namespace {

struct Row {
  std::string_view word;
  std::size_t bytes;
};

// In the order of DType.
constexpr std::array<Row, 13> kRows = {{{"f32", 4},
                                        {"f64", 8},
                                        {"f16", 2},
                                        {"bf16", 2},
                                        {"i8", 1},
                                        {"i16", 2},
                                        {"i32", 4},
                                        {"i64", 8},
                                        {"u8", 1},
                                        {"u16", 2},
                                        {"u32", 4},
                                        {"u64", 8},
                                        {"bool", 1}}};

}  // namespace

std::string_view to_string(DType dtype) noexcept {
  return kRows[static_cast<std::size_t>(dtype)].word;
}

std::size_t size_bytes(DType dtype) noexcept {
  return kRows[static_cast<std::size_t>(dtype)].bytes;
}

DType parse_dtype(std::string_view word) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].word == word) return static_cast<DType>(i);
  }
  throw Error(Status::Invalid, "unknown dtype \"" + printable(word) + "\"");
}

}  // namespace inferometer
