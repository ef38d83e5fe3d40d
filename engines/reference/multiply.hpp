// SPDX-License-Identifier: Apache-2.0
// The one hot loop: a block of a matrix product accumulated in double.
//
// Left rows (output channels, or columns of a Gemm's B) are taken kRows at a time, right columns
// (pixels, or rows of a Gemm's A) `panel` at a time, both widened to double in packed panels:
//   left  [k][kRows],  right [k][panel],  sums [column][kRows].
// Every sum is built in the order of k, one addition after the other, whatever the block sizes, the
// thread or the instruction set. The product of two floats is exact in double, so a fused
// multiply-add rounds exactly as multiply-then-add does: the bits are the same on every CPU. This
// doesn't hold for products of doubles; kBaseline is used for those everywhere.
#pragma once

#include <cstdint>
#include <vector>

namespace inferometer::reference {

inline constexpr std::int64_t kRows = 8;

/// sums[column][row] += sum over k of left[k][row] * right[k][column], for kRows rows and `columns`
/// columns. `right` has `panel` columns per k, columns <= panel.
using MultiplyBlock = void (*)(const double* left, const double* right, std::int64_t depth,
                               std::int64_t columns, double* sums);

struct Multiplier {
  const char* name;    ///< "baseline", "avx2", "avx512"
  std::int64_t panel;  ///< columns in a right panel
  MultiplyBlock block;
};

/// Those that this CPU can run, baseline first, the fastest last.
const std::vector<Multiplier>& multipliers();

}  // namespace inferometer::reference
