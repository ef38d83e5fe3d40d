// SPDX-License-Identifier: Apache-2.0
// Reading and writing single elements of any dtype in memory of any alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "graph/half.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer::graph {

constexpr bool is_floating(DType dtype) noexcept {
  return dtype == DType::F32 || dtype == DType::F64 || dtype == DType::F16 || dtype == DType::BF16;
}

template <class T>
struct PlainCodec {
  using Type = T;
  static T load(std::span<const std::byte> bytes, std::size_t index) {
    T value;
    std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
    return value;
  }
  static void store(std::span<std::byte> bytes, std::size_t index, T value) {
    std::memcpy(bytes.data() + index * sizeof(T), &value, sizeof(T));
  }
};

struct BoolCodec {
  using Type = bool;
  static bool load(std::span<const std::byte> bytes, std::size_t index) {
    return bytes[index] != std::byte{0};
  }
  static void store(std::span<std::byte> bytes, std::size_t index, bool value) {
    bytes[index] = value ? std::byte{1} : std::byte{0};
  }
};

template <float (*Widen)(std::uint16_t) noexcept, std::uint16_t (*Narrow)(float) noexcept>
struct HalfCodec {
  using Type = float;
  static float load(std::span<const std::byte> bytes, std::size_t index) {
    return Widen(PlainCodec<std::uint16_t>::load(bytes, index));
  }
  static void store(std::span<std::byte> bytes, std::size_t index, float value) {
    PlainCodec<std::uint16_t>::store(bytes, index, Narrow(value));
  }
};

/// Calls `use` with the codec of `dtype`: its Type, load(bytes, index), store(bytes, index, value).
template <class Use>
decltype(auto) visit_elements(DType dtype, Use&& use) {
  switch (dtype) {
    case DType::F32:
      return use(PlainCodec<float>{});
    case DType::F64:
      return use(PlainCodec<double>{});
    case DType::F16:
      return use(HalfCodec<f16_to_float, float_to_f16>{});
    case DType::BF16:
      return use(HalfCodec<bf16_to_float, float_to_bf16>{});
    case DType::I8:
      return use(PlainCodec<std::int8_t>{});
    case DType::I16:
      return use(PlainCodec<std::int16_t>{});
    case DType::I32:
      return use(PlainCodec<std::int32_t>{});
    case DType::I64:
      return use(PlainCodec<std::int64_t>{});
    case DType::U8:
      return use(PlainCodec<std::uint8_t>{});
    case DType::U16:
      return use(PlainCodec<std::uint16_t>{});
    case DType::U32:
      return use(PlainCodec<std::uint32_t>{});
    case DType::U64:
      return use(PlainCodec<std::uint64_t>{});
    case DType::Bool:
      break;
  }
  return use(BoolCodec{});
}

}  // namespace inferometer::graph
