// SPDX-License-Identifier: Apache-2.0
// Matrix products in blocks, for convolutions and Gemm.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>

#include "multiply.hpp"
#include "number.hpp"
#include "pool.hpp"

namespace inferometer::reference {

/// `count` products of equal size. The functions are called from several threads.
struct Products {
  std::int64_t count = 1;
  std::int64_t rows = 0, columns = 0, depth = 0;

  /// A piece of an operand: `size` rows or columns from `first`, depth [k, k + depth).
  struct Piece {
    std::int64_t product, first, size, k, depth;
  };
  /// Fills to[k][kRows]; what is beyond `size` rows may hold anything finite.
  std::function<void(const Piece&, double* to)> pack_left;
  /// Fills to[k][panel].
  std::function<void(const Piece&, std::int64_t panel, double* to)> pack_right;
  /// Takes the sums of up to kRows rows and `columns` columns: sums[column][kRows].
  std::function<void(std::int64_t product, std::int64_t row, std::int64_t rows, std::int64_t column,
                     std::int64_t columns, const double* sums)>
      store;
};

void multiply(Pool& pool, const Multiplier& multiplier, const Products& products);

/// An element of a tensor that may stand at any address (weights are used in place in a mapped
/// file).
template <class T>
double load_wide(const std::byte* base, std::int64_t index) {
  T value;
  std::memcpy(static_cast<void*>(&value), base + index * static_cast<std::int64_t>(sizeof(T)),
              sizeof(T));
  return static_cast<double>(value);
}

/// Packs a strided matrix: element (r, k) is at r * row_stride + k * depth_stride. to[k][width].
template <class T>
void pack_matrix(const std::byte* base, std::int64_t row_stride, std::int64_t depth_stride,
                 const Products::Piece& piece, std::int64_t width, double* to) {
  const std::int64_t start = piece.first * row_stride + piece.k * depth_stride;
  for (std::int64_t k = 0; k < piece.depth; ++k, to += width) {
    for (std::int64_t r = 0; r < piece.size; ++r)
      to[r] = load_wide<T>(base, start + r * row_stride + k * depth_stride);
    for (std::int64_t r = piece.size; r < width; ++r) to[r] = 0;
  }
}

}  // namespace inferometer::reference
