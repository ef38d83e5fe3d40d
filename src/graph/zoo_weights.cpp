// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo_weights.hpp"

#include <cmath>

namespace inferometer::graph {

namespace {

constexpr float kUnit = 1.0F / 8388608.0F;  // 2^-23

/// Stirs 64 bits (the finaliser of splitmix64).
std::uint64_t stir(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

std::uint32_t key_of(RandomStream stream) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15U;
  return static_cast<std::uint32_t>(
      stir(stir(stream.seed + kGolden) + (stream.stream + 1) * kGolden));
}

/// Element `index` in [-2^23, 2^23). 32-bit arithmetic: compilers vectorise it without 64-bit
/// multiplies, and VGG19 needs 143 million of them.
inline std::int32_t draw(std::uint32_t key, std::uint32_t index) {
  std::uint32_t x = index * 0x9E3779B9U + key;
  x = (x ^ (x >> 16)) * 0x85EBCA6BU;
  x = (x ^ (x >> 13)) * 0xC2B2AE35U;
  x ^= x >> 16;
  return static_cast<std::int32_t>(x) >> 8;
}

struct FloatMemory {
  explicit FloatMemory(std::vector<std::int64_t> dims)
      : constant{DType::F32, std::move(dims), {}, {}} {
    const auto count = static_cast<std::size_t>(constant.elements());
    std::shared_ptr<float[]> memory(new float[count]);  // not zeroed: all of it is written
    data = memory.get();
    constant.bytes = std::as_bytes(std::span(data, count));
    constant.owner = std::move(memory);
  }
  std::size_t size() const { return constant.bytes.size() / sizeof(float); }

  Constant constant;
  float* data = nullptr;
};

void draw_filter(std::uint32_t key, std::uint32_t first, float scale, std::span<float> filter) {
  const auto count = static_cast<std::uint32_t>(filter.size());
  if (count == 0) return;
  std::int64_t sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) sum += draw(key, first + i);
  const auto mean = static_cast<std::int32_t>(sum / count);
  for (std::uint32_t i = 0; i < count; ++i) {
    filter[i] = static_cast<float>(draw(key, first + i) - mean) * scale;
  }
}

}  // namespace

Constant uniform_constant(RandomStream stream, std::vector<std::int64_t> shape, float low,
                          float high) {
  FloatMemory memory(std::move(shape));
  const auto key = key_of(stream);
  const float middle = (low + high) / 2;
  const float scale = (high - low) / 2 * kUnit;
  for (std::size_t i = 0; i < memory.size(); ++i) {
    memory.data[i] = middle + static_cast<float>(draw(key, static_cast<std::uint32_t>(i))) * scale;
  }
  return memory.constant;
}

Constant centred_filters(RandomStream stream, std::vector<std::int64_t> shape, double deviation) {
  FloatMemory memory(std::move(shape));
  const auto key = key_of(stream);
  const auto scale = static_cast<float>(deviation * std::sqrt(3.0)) * kUnit;
  const auto filters = static_cast<std::size_t>(memory.constant.shape[0]);
  const auto length = memory.size() / filters;
  for (std::size_t f = 0; f < filters; ++f) {
    draw_filter(key, static_cast<std::uint32_t>(f * length), scale,
                {memory.data + f * length, length});
  }
  return memory.constant;
}

}  // namespace inferometer::graph
