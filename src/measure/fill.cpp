// SPDX-License-Identifier: Apache-2.0
#include "measure/fill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/text.hpp"
#include "inferometer/error.hpp"
#include "measure/elements.hpp"
#include "measure/mix.hpp"

namespace inferometer::measure {
namespace {

constexpr std::string_view kUsual = ":usual", kNormal = ":normal", kIntegers = ":int:";
constexpr Fill kSmallIndex{Fill::Kind::Integers, 0, 7};  // a valid index of almost any table
constexpr Fill kEither{Fill::Kind::Integers, 0, 1};

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Fill> integers_fill(std::string_view range) {
  const auto dots = range.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto least = integer(range.substr(0, dots)), most = integer(range.substr(dots + 2));
  if (!least || !most || *least > *most) return std::nullopt;
  return Fill{Fill::Kind::Integers, *least, *most};
}

// Evenly on a grid of 1/steps in [-1, 1).
float uniform(std::uint64_t random, std::int64_t steps) {
  const auto place =
      static_cast<std::int64_t>((random >> 32) % (2 * static_cast<std::uint64_t>(steps)));
  return static_cast<float>(place - steps) / static_cast<float>(steps);
}

// A sum of 12 uniform numbers less 6 has mean 0 and variance 1. In integers, so that no machine's
// logarithm or cosine has a say: 16 bits each make a grid of 2^-16, cut to 1/steps.
float normal(std::uint64_t random, std::int64_t steps) {
  std::int64_t sum = 0;
  for (std::uint64_t word = 0; word < 3; ++word) {
    const auto bits = mixed(random + word);
    for (int part = 0; part < 4; ++part)
      sum += static_cast<std::int64_t>((bits >> (16 * part)) & 0xffff);
  }
  const std::int64_t cut = (sum - std::int64_t{6} * 0xffff) / (65536 / steps);
  return static_cast<float>(cut) / static_cast<float>(steps);
}

// Steps of a grid on which half precisions have no subnormal number, and in [-1, 1) every point.
std::int64_t grid_steps(DType dtype, std::int64_t usual) {
  if (dtype == DType::F16) return 1 << 10;
  if (dtype == DType::BF16) return 1 << 7;
  return usual;
}

template <class T>
void store(void* data, std::size_t index, T value) {
  std::memcpy(static_cast<std::byte*>(data) + index * sizeof value, &value, sizeof value);
}

// What a half precision cannot hold is cut off, never rounded up to infinity.
void store_real(DType dtype, void* data, std::size_t index, double value) {
  const auto single = static_cast<float>(value);
  switch (dtype) {
    case DType::F64:
      return store(data, index, value);
    case DType::F16:
      return store(data, index, exact_f16(single));
    case DType::BF16:
      return store(data, index,
                   static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(single) >> 16));
    default:
      return store(data, index, single);
  }
}

void store_integer(DType dtype, void* data, std::size_t index, std::int64_t value) {
  if (is_floating(dtype)) return store_real(dtype, data, index, static_cast<double>(value));
  // Two's complement, little endian: the low bytes are the value in every integer type.
  std::memcpy(static_cast<std::byte*>(data) + index * size_bytes(dtype), &value, size_bytes(dtype));
}

std::int64_t integer_within(const Fill& fill, std::uint64_t random) {
  const auto span = static_cast<std::uint64_t>(fill.most) - static_cast<std::uint64_t>(fill.least);
  const auto offset =
      span == std::numeric_limits<std::uint64_t>::max() ? random : random % (span + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(fill.least) + offset);
}

struct Range {
  std::int64_t least, most;
};

template <class T>
constexpr Range range_of() {
  return {std::numeric_limits<T>::min(),
          static_cast<std::int64_t>(std::min<std::uint64_t>(
              std::numeric_limits<T>::max(), std::numeric_limits<std::int64_t>::max()))};
}

Range range_of(DType dtype) {
  switch (dtype) {
    // Whole numbers up to 2^(bits of the significand) are held exactly.
    case DType::F16:
      return {-(1 << 11), 1 << 11};
    case DType::BF16:
      return {-(1 << 8), 1 << 8};
    case DType::F32:
      return {-(1 << 24), 1 << 24};
    case DType::F64:
      return {-(1LL << 53), 1LL << 53};
    case DType::I8:
      return range_of<std::int8_t>();
    case DType::I16:
      return range_of<std::int16_t>();
    case DType::I32:
      return range_of<std::int32_t>();
    case DType::U8:
      return range_of<std::uint8_t>();
    case DType::U16:
      return range_of<std::uint16_t>();
    case DType::U32:
      return range_of<std::uint32_t>();
    case DType::U64:
      return range_of<std::uint64_t>();
    case DType::Bool:
      return {0, 1};
    default:
      return range_of<std::int64_t>();
  }
}

[[noreturn]] void refuse(const Port& port, const Fill& fill, const std::string& why) {
  throw Error(Status::Invalid,
              fmt::format("input '{}' is {}: {} {}", printable(port.name), to_string(port.dtype),
                          to_string(fill), why),
              {{"port", port.name}, {"fill", to_string(fill)}});
}

}  // namespace

std::optional<Fill> parse_fill(std::string_view text) {
  if (text == kUsual) return Fill();
  if (text == kNormal) return Fill{Fill::Kind::Normal};
  if (text.starts_with(kIntegers)) return integers_fill(text.substr(kIntegers.size()));
  return std::nullopt;
}

std::string to_string(const Fill& fill) {
  switch (fill.kind) {
    case Fill::Kind::Usual:
      return std::string(kUsual);
    case Fill::Kind::Normal:
      return std::string(kNormal);
    case Fill::Kind::Integers:
      break;
  }
  return fmt::format("{}{}..{}", kIntegers, fill.least, fill.most);
}

void check_fill(const Port& port, const Fill& fill) {
  if (fill.kind == Fill::Kind::Normal && !is_floating(port.dtype))
    refuse(port, fill, "draws fractions; give :int:LEAST..MOST");
  const auto [least, most] = range_of(port.dtype);
  if (fill.kind == Fill::Kind::Integers && (fill.least < least || fill.most > most))
    refuse(port, fill, fmt::format("is not within its {}..{}", least, most));
}

void store_drawn(const Fill& fill, DType dtype, void* data, std::size_t index,
                 std::uint64_t random) {
  if (fill.kind == Fill::Kind::Integers)
    return store_integer(dtype, data, index, integer_within(fill, random));
  if (is_floating(dtype))
    return store_real(dtype, data, index,
                      fill.kind == Fill::Kind::Normal
                          ? normal(random, grid_steps(dtype, 1 << 16))
                          : uniform(random, grid_steps(dtype, 1 << 23)));
  const Fill& whole = dtype == DType::Bool ? kEither : kSmallIndex;
  return store_integer(dtype, data, index, integer_within(whole, random));
}

}  // namespace inferometer::measure
