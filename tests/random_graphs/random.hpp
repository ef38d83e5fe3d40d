// SPDX-License-Identifier: Apache-2.0
// Seeded choices that are the same everywhere: the standard fixes the generator, not its
// distributions.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace inferometer::random_graphs {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// lowest..highest, both included.
  std::int64_t between(std::int64_t lowest, std::int64_t highest) {
    const auto choices = static_cast<std::uint64_t>(highest - lowest) + 1;
    return lowest + static_cast<std::int64_t>(engine_() % choices);
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  /// -1..1, multiples of 1/256: exact in every floating dtype but bf16.
  float real() { return static_cast<float>(between(-256, 256)) / 256; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(from.size()) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace inferometer::random_graphs
