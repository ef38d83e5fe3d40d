// SPDX-License-Identifier: Apache-2.0
#include "measure/elements.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace inferometer::measure {
namespace {

template <class T>
double read_as(const void* data, std::size_t index) {
  return static_cast<double>(static_cast<const T*>(data)[index]);
}

double read_f16(const void* data, std::size_t index) {
  return from_f16(static_cast<const std::uint16_t*>(data)[index]);
}

double read_bf16(const void* data, std::size_t index) {
  const std::uint32_t bits = static_cast<const std::uint16_t*>(data)[index];
  return static_cast<double>(std::bit_cast<float>(bits << 16));
}

}  // namespace

ElementReader element_reader(DType dtype) noexcept {
  switch (dtype) {
    case DType::F32:
      return read_as<float>;
    case DType::F64:
      return read_as<double>;
    case DType::F16:
      return read_f16;
    case DType::BF16:
      return read_bf16;
    case DType::I8:
      return read_as<std::int8_t>;
    case DType::I16:
      return read_as<std::int16_t>;
    case DType::I32:
      return read_as<std::int32_t>;
    case DType::I64:
      return read_as<std::int64_t>;
    case DType::U8:
      return read_as<std::uint8_t>;
    case DType::U16:
      return read_as<std::uint16_t>;
    case DType::U32:
      return read_as<std::uint32_t>;
    case DType::U64:
      return read_as<std::uint64_t>;
    case DType::Bool:
      return read_as<std::uint8_t>;
  }
  return read_as<std::uint8_t>;
}

bool is_floating(DType dtype) noexcept {
  return dtype == DType::F32 || dtype == DType::F64 || dtype == DType::F16 || dtype == DType::BF16;
}

double from_f16(std::uint16_t bits) noexcept {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  if (exponent == 31)
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

std::uint16_t exact_f16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  if (value == 0) return static_cast<std::uint16_t>(sign);
  const std::uint32_t exponent = ((bits >> 23) & 255) - 127 + 15;
  return static_cast<std::uint16_t>(sign | (exponent << 10) | ((bits >> 13) & 1023));
}

}  // namespace inferometer::measure
