// SPDX-License-Identifier: Apache-2.0
#include "product.hpp"

#include <algorithm>
#include <vector>

namespace inferometer::reference {
namespace {

// A right block of kDepth x kColumns doubles (192 KiB) stays in the second-level cache while every
// left panel (16 KiB) passes over it; kColumns is a multiple of every panel width.
constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kColumns = 96;
constexpr std::int64_t kMostRows = 256;
constexpr std::int64_t kFewestRows = 32;
constexpr std::int64_t kEnoughPieces = 8;

std::int64_t pieces(std::int64_t size, std::int64_t step) {
  return (size + step - 1) / step;
}

struct Scratch {
  std::vector<double> left = std::vector<double>(kDepth * kRows);
  std::vector<double> right = std::vector<double>(kDepth * kColumns);
  std::vector<double> sums = std::vector<double>(kMostRows * kColumns);
};

struct Block {
  std::int64_t product, row, rows, column, columns;
};

void pack_right(const Products& p, const Block& b, std::int64_t k, std::int64_t depth,
                std::int64_t panel, double* to) {
  for (std::int64_t c = 0; c < b.columns; c += panel)
    p.pack_right({b.product, b.column + c, std::min(panel, b.columns - c), k, depth}, panel,
                 to + c * kDepth);
}

void add_depth(const Multiplier& m, const Products& p, const Block& b, std::int64_t k, Scratch& s) {
  const std::int64_t depth = std::min(kDepth, p.depth - k);
  pack_right(p, b, k, depth, m.panel, s.right.data());
  for (std::int64_t r = 0; r < b.rows; r += kRows) {
    p.pack_left({b.product, b.row + r, std::min(kRows, b.rows - r), k, depth}, s.left.data());
    for (std::int64_t c = 0; c < b.columns; c += m.panel)
      m.block(s.left.data(), s.right.data() + c * kDepth, depth, std::min(m.panel, b.columns - c),
              s.sums.data() + r * kColumns + c * kRows);
  }
}

void compute(const Multiplier& m, const Products& p, const Block& b) {
  thread_local Scratch scratch;
  std::fill(scratch.sums.begin(), scratch.sums.end(), 0.0);
  for (std::int64_t k = 0; k < p.depth; k += kDepth) add_depth(m, p, b, k, scratch);
  for (std::int64_t r = 0; r < b.rows; r += kRows)
    p.store(b.product, b.row + r, std::min(kRows, b.rows - r), b.column, b.columns,
            scratch.sums.data() + r * kColumns);
}

}  // namespace

void multiply(Pool& pool, const Multiplier& multiplier, const Products& p) {
  const std::int64_t across = pieces(p.columns, kColumns);
  std::int64_t step = kMostRows;
  while (step > kFewestRows && p.count * across * pieces(p.rows, step) < kEnoughPieces) step /= 2;
  const std::int64_t down = pieces(p.rows, step);
  pool.run(p.count * across * down, [&](std::int64_t i, std::size_t) {
    const std::int64_t row = i % down * step, column = i / down % across * kColumns;
    compute(multiplier, p,
            {i / down / across, row, std::min(step, p.rows - row), column,
             std::min(kColumns, p.columns - column)});
  });
}

}  // namespace inferometer::reference
