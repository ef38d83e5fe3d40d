// SPDX-License-Identifier: Apache-2.0
// Element types as the kernels see them: stored as the dtype says, computed in double (floating) or
// in their own type (integers).
#pragma once

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "inferometer/error.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer::reference {

/// A 16-bit floating number with `kMantissa` explicit mantissa bits. Conversion from double rounds
/// once, to nearest even: going through float would round twice.
template <int kMantissa, int kBias>
struct Small {
  std::uint16_t bits = 0;

  Small() = default;
  explicit Small(double value) : bits(encode(value)) {}
  explicit operator double() const { return decode(bits); }

 private:
  static constexpr std::uint16_t kInfinity =
      static_cast<std::uint16_t>((2 * kBias + 1) << kMantissa);
  static constexpr int kLeastExponent = 1 - kBias;

  static std::uint16_t encode(double value) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000u : 0u);
    const double size = std::abs(value);
    if (std::isnan(value))
      return static_cast<std::uint16_t>(sign | kInfinity | (1u << (kMantissa - 1)));
    if (std::isinf(value)) return static_cast<std::uint16_t>(sign | kInfinity);
    if (size == 0) return sign;
    const int exponent = std::max(std::ilogb(size), kLeastExponent);
    if (exponent > kBias) return static_cast<std::uint16_t>(sign | kInfinity);
    // A mantissa that rounds up to 2^(kMantissa+1) carries into the exponent by itself.
    const auto mantissa = static_cast<int>(std::nearbyint(std::ldexp(size, kMantissa - exponent)));
    return static_cast<std::uint16_t>(
        sign | (((exponent + kBias) << kMantissa) + mantissa - (1 << kMantissa)));
  }

  static double decode(std::uint16_t bits) {
    const int exponent = (bits & 0x7FFF) >> kMantissa;
    const int mantissa = bits & ((1 << kMantissa) - 1);
    const double sign = (bits & 0x8000u) != 0 ? -1.0 : 1.0;
    if (exponent == 2 * kBias + 1) return mantissa != 0 ? std::nan("") : sign * HUGE_VAL;
    const int implicit = exponent == 0 ? 0 : 1 << kMantissa;
    return sign * std::ldexp(implicit + mantissa, std::max(exponent, 1) - kBias - kMantissa);
  }
};

using Half = Small<10, 15>;
using BFloat = Small<7, 127>;

template <class T>
inline constexpr bool is_real = std::is_same_v<T, float> || std::is_same_v<T, double> ||
                                std::is_same_v<T, Half> || std::is_same_v<T, BFloat>;

/// What a value of T is computed in.
template <class T>
using Wide = std::conditional_t<is_real<T>, double, T>;

template <class T>
Wide<T> widen(T value) {
  return static_cast<Wide<T>>(value);
}
template <class T>
T narrow(Wide<T> value) {
  return static_cast<T>(value);
}

/// Out of range and NaN give the nearest limit and 0: ONNX leaves them open, C++ undefined.
template <class Out>
Out to_integer(double value) {
  if (std::isnan(value)) return 0;
  const double least = static_cast<double>(std::numeric_limits<Out>::lowest());
  const double beyond = std::ldexp(1.0, std::numeric_limits<Out>::digits);
  if (value < least) return std::numeric_limits<Out>::lowest();
  return value >= beyond ? std::numeric_limits<Out>::max() : static_cast<Out>(value);
}

/// Calls `body` with a value of the dtype's element type: with_type(d, [&]<class T>(T) {...}).
template <class Body>
decltype(auto) with_type(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::F32:
      return body(float{});
    case DType::F64:
      return body(double{});
    case DType::F16:
      return body(Half{});
    case DType::BF16:
      return body(BFloat{});
    case DType::I8:
      return body(std::int8_t{});
    case DType::I16:
      return body(std::int16_t{});
    case DType::I32:
      return body(std::int32_t{});
    case DType::I64:
      return body(std::int64_t{});
    case DType::U8:
      return body(std::uint8_t{});
    case DType::U16:
      return body(std::uint16_t{});
    case DType::U32:
      return body(std::uint32_t{});
    case DType::U64:
      return body(std::uint64_t{});
    case DType::Bool:
      return body(bool{});
  }
  throw Error(Status::Unsupported, "a dtype that it doesn't know");
}

/// The same for floating dtypes only. Throws Error{Unsupported} naming `what` for the others.
template <class Body>
decltype(auto) with_real_type(DType dtype, const std::string& what, Body&& body) {
  switch (dtype) {
    case DType::F32:
      return body(float{});
    case DType::F64:
      return body(double{});
    case DType::F16:
      return body(Half{});
    case DType::BF16:
      return body(BFloat{});
    default:
      break;
  }
  throw Error(Status::Unsupported, fmt::format("{} of dtype {}", what, to_string(dtype)));
}

}  // namespace inferometer::reference
