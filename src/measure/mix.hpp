// SPDX-License-Identifier: Apache-2.0
// A hash of 64 bits, for numbers that can be made in any order.
#pragma once

#include <cstdint>

namespace inferometer::measure {

/// SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of `value`,
/// so that neighbouring values share nothing.
constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace inferometer::measure
