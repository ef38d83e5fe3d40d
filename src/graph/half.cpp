// SPDX-License-Identifier: Apache-2.0
#include "graph/half.hpp"

#include <bit>
#include <cmath>

namespace inferometer::graph {

float f16_to_float(std::uint16_t bits) noexcept {
  const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  if (exponent == 31) {
    const std::uint32_t wide = (static_cast<std::uint32_t>(bits & 0x8000U) << 16) | 0x7F800000U |
                               (static_cast<std::uint32_t>(fraction) << 13);
    return std::bit_cast<float>(wide);
  }
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

float bf16_to_float(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t float_to_f16(float value) noexcept {
  const auto sign =
      static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(value) >> 16) & 0x8000U);
  if (std::isnan(value)) return sign | 0x7E00U;
  const float magnitude = std::fabs(value);
  if (magnitude >= 65520.0F) return sign | 0x7C00U;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // Units of the last place: 2^(exponent-11), but never below the subnormal step 2^-24.
  const int step = exponent - 11 < -24 ? -24 : exponent - 11;
  const auto units = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, -step)));
  // Carry out of the fraction moves into the exponent field by itself.
  const std::uint32_t encoded =
      units < 1024 && step == -24 ? units : units + (static_cast<std::uint32_t>(step + 24) << 10);
  return static_cast<std::uint16_t>(sign | encoded);
}

std::uint16_t float_to_bf16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace inferometer::graph
