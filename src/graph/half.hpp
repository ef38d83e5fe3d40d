// SPDX-License-Identifier: Apache-2.0
// The two 16-bit floating formats, held as std::uint16_t.
#pragma once

#include <cstdint>

namespace inferometer::graph {

float f16_to_float(std::uint16_t bits) noexcept;
float bf16_to_float(std::uint16_t bits) noexcept;
/// Rounded to nearest, ties to even; overflow gives infinity.
std::uint16_t float_to_f16(float value) noexcept;
std::uint16_t float_to_bf16(float value) noexcept;

}  // namespace inferometer::graph
