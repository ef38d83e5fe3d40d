// SPDX-License-Identifier: Apache-2.0
// Arithmetic on sizes that come from files: it never wraps.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "inferometer/model.hpp"  // Dim

namespace inferometer::graph {

/// a * b, a + b; nullopt when it leaves int64.
inline std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}
inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

/// Product of sizes (1 for none); nullopt on a negative size or overflow.
std::optional<std::int64_t> checked_product(std::span<const std::int64_t> sizes);

/// "[2,3]"; "[N,3,?]".
std::string shape_text(std::span<const std::int64_t> shape);
std::string shape_text(std::span<const Dim> shape);

}  // namespace inferometer::graph
