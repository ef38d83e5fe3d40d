// SPDX-License-Identifier: Apache-2.0
// Elements of any dtype as doubles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inferometer/tensor.hpp"

namespace inferometer::measure {

/// Reads element `index` of contiguous memory. 64-bit integers beyond 2^53 are rounded.
using ElementReader = double (*)(const void* data, std::size_t index);
ElementReader element_reader(DType dtype) noexcept;

bool is_floating(DType dtype) noexcept;

/// IEEE half precision, every value of it.
double from_f16(std::uint16_t bits) noexcept;
/// Of a value that half precision holds exactly as a normal number, or zero.
std::uint16_t exact_f16(float value) noexcept;

}  // namespace inferometer::measure
