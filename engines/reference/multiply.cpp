// SPDX-License-Identifier: Apache-2.0
#include "multiply.hpp"

#include <cstring>

namespace inferometer::reference {
namespace {

// Lanes of doubles; the compiler turns them into the registers of the function's target.
template <int kLanes>
struct Vector {
  typedef double Type __attribute__((vector_size(kLanes * sizeof(double))));
};

#define INFEROMETER_INLINE __attribute__((always_inline)) inline

template <int kLanes, int kColumns>
INFEROMETER_INLINE void multiply(const double* left, const double* right, std::int64_t depth,
                                 std::int64_t panel, double* sums) {
  using V = Vector<kLanes>::Type;
  constexpr int kParts = static_cast<int>(kRows) / kLanes;
  constexpr auto kAll = std::ptrdiff_t{kColumns} * kParts;
  // Whole-array copies would keep `total` in memory; element by element it stays in registers.
  V total[kColumns][kParts];
#pragma GCC unroll 16
  for (std::ptrdiff_t i = 0; i < kAll; ++i)
    std::memcpy(&total[i / kParts][i % kParts], sums + i * kLanes, sizeof(V));
  for (std::int64_t k = 0; k < depth; ++k, left += kRows, right += panel) {
    V rows[kParts];
#pragma GCC unroll 16
    for (std::ptrdiff_t p = 0; p < kParts; ++p) std::memcpy(&rows[p], left + p * kLanes, sizeof(V));
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) {
#pragma GCC unroll 16
      for (int p = 0; p < kParts; ++p) total[c][p] += rows[p] * right[c];
    }
  }
#pragma GCC unroll 16
  for (std::ptrdiff_t i = 0; i < kAll; ++i)
    std::memcpy(sums + i * kLanes, &total[i / kParts][i % kParts], sizeof(V));
}

// A block of exactly as many columns as there are, so that narrow ones cost less; columns are
// independent of each other, so the bits don't depend on how they are grouped.
template <int kLanes, int kColumns>
INFEROMETER_INLINE void pick(const double* left, const double* right, std::int64_t depth,
                             std::int64_t panel, std::int64_t columns, double* sums) {
  if (columns == kColumns) return multiply<kLanes, kColumns>(left, right, depth, panel, sums);
  if constexpr (kColumns > 1) pick<kLanes, kColumns - 1>(left, right, depth, panel, columns, sums);
}

void baseline(const double* left, const double* right, std::int64_t depth, std::int64_t columns,
              double* sums) {
  pick<2, 3>(left, right, depth, 3, columns, sums);
}

__attribute__((target("avx2,fma"))) void avx2(const double* left, const double* right,
                                              std::int64_t depth, std::int64_t columns,
                                              double* sums) {
  pick<4, 6>(left, right, depth, 6, columns, sums);
}

__attribute__((target("avx512f,avx2,fma"))) void avx512(const double* left, const double* right,
                                                        std::int64_t depth, std::int64_t columns,
                                                        double* sums) {
  pick<8, 12>(left, right, depth, 12, columns, sums);
}

std::vector<Multiplier> find() {
  std::vector<Multiplier> found{{"baseline", 3, baseline}};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    found.push_back({"avx2", 6, avx2});
  if (__builtin_cpu_supports("avx512f")) found.push_back({"avx512", 12, avx512});
  return found;
}

}  // namespace

const std::vector<Multiplier>& multipliers() {
  static const std::vector<Multiplier> kFound = find();
  return kFound;
}

}  // namespace inferometer::reference
