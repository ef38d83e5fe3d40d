// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul. The columns of B, usually weights, are the product's left rows: they are then
// widened once for up to 96 rows of A.
#include <algorithm>
#include <vector>

#include "kernel.hpp"
#include "product.hpp"

namespace inferometer::reference {
namespace {

/// out[m][n] = alpha * sum over k of a(m, k) * b(k, n) + beta * c(m, n), `count` times.
struct MatrixShape {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_row = 0, a_depth = 0, b_column = 0, b_depth = 0, c_row = 0, c_column = 0;
  double alpha = 1, beta = 0;
  std::vector<std::int64_t> a_start{0}, b_start{0};  ///< in elements, by product
};

template <class T>
void store_sums(const MatrixShape& s, const Work& work, std::int64_t product, std::int64_t n,
                std::int64_t row, const double* sums, std::int64_t count) {
  T* to = static_cast<T*>(work.out[0].data) + (product * s.m + row) * s.n + n;
  const bool adds = s.beta != 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double add = !adds ? 0.0
                             : s.beta * load_wide<T>(static_cast<const std::byte*>(work.in[2].data),
                                                     row * s.c_row + (n + i) * s.c_column);
    to[i] = static_cast<T>(s.alpha * sums[i] + add);
  }
}

template <class T>
void multiply_matrices(const MatrixShape& s, const Work& work) {
  const auto* a = static_cast<const std::byte*>(work.in[0].data);
  const auto* b = static_cast<const std::byte*>(work.in[1].data);
  const auto at = [](const std::vector<std::int64_t>& starts, std::int64_t product) {
    return starts[static_cast<std::size_t>(product)] * static_cast<std::int64_t>(sizeof(T));
  };
  Products p{.count = static_cast<std::int64_t>(s.a_start.size()),
             .rows = s.n,
             .columns = s.m,
             .depth = s.k};
  p.pack_left = [&](const Products::Piece& piece, double* to) {
    pack_matrix<T>(b + at(s.b_start, piece.product), s.b_column, s.b_depth, piece, kRows, to);
  };
  p.pack_right = [&](const Products::Piece& piece, std::int64_t panel, double* to) {
    pack_matrix<T>(a + at(s.a_start, piece.product), s.a_row, s.a_depth, piece, panel, to);
  };
  p.store = [&](std::int64_t product, std::int64_t row, std::int64_t rows, std::int64_t column,
                std::int64_t columns, const double* sums) {
    for (std::int64_t c = 0; c < columns; ++c)
      store_sums<T>(s, work, product, row, column + c, sums + c * kRows, rows);
  };
  const bool exact = !std::is_same_v<T, double>;
  multiply(work.pool, exact ? work.multiplier : multipliers().front(), p);
}

Compute make(const Site& site, MatrixShape s) {
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return [s = std::move(s)](const Work& work) { multiply_matrices<T>(s, work); };
  });
}

// Where each product of a broadcast batch begins: axes of size 1 repeat.
std::vector<std::int64_t> starts(const std::vector<std::int64_t>& dims, const Shape& out_batch) {
  std::vector<std::int64_t> found;
  const std::size_t batch_rank = dims.size() - 2, lead = out_batch.rank() - batch_rank;
  for (std::int64_t i = 0; i < out_batch.elements(); ++i) {
    std::int64_t rest = i, start = 0, step = dims[batch_rank] * dims[batch_rank + 1];
    for (std::size_t axis = out_batch.rank(); axis-- > 0;) {
      const std::int64_t index = rest % out_batch[axis];
      rest /= out_batch[axis];
      if (axis < lead) continue;
      const std::int64_t size = dims[axis - lead];
      if (size != 1) start += index * step;
      step *= size;
    }
    found.push_back(start);
  }
  return found;
}

enum class Side { Left, Right };

// A vector on the left is a row, on the right a column.
std::vector<std::int64_t> matrix_dims(const Shape& shape, Side side) {
  std::vector<std::int64_t> dims;
  dims.reserve(kMaxRank + 1);
  if (shape.rank() == 1 && side == Side::Left) dims.push_back(1);
  for (const auto size : shape.dims()) dims.push_back(size);
  if (shape.rank() == 1 && side == Side::Right) dims.push_back(1);
  return dims;
}

}  // namespace

Compute prepare_gemm(const Site& site) {
  const Shape a = site.input_shape(0), b = site.input_shape(1);
  const bool trans_a = graph::int_attribute(site.node(), "transA", 0) != 0;
  const bool trans_b = graph::int_attribute(site.node(), "transB", 0) != 0;
  MatrixShape s{.m = a[trans_a ? 1 : 0], .n = b[trans_b ? 0 : 1], .k = a[trans_a ? 0 : 1]};
  s.a_row = trans_a ? 1 : s.k;
  s.a_depth = trans_a ? s.m : 1;
  s.b_column = trans_b ? s.k : 1;
  s.b_depth = trans_b ? 1 : s.n;
  s.alpha = static_cast<double>(graph::float_attribute(site.node(), "alpha", 1));
  if (site.has_input(2)) {
    const Shape c = site.input_shape(2);
    s.beta = static_cast<double>(graph::float_attribute(site.node(), "beta", 1));
    s.c_column = c.rank() > 0 && c[c.rank() - 1] != 1 ? 1 : 0;
    s.c_row = c.rank() > 1 && c[0] != 1 ? c[1] : 0;
  }
  return make(site, std::move(s));
}

Compute prepare_matmul(const Site& site) {
  const Shape a_shape = site.input_shape(0), b_shape = site.input_shape(1);
  if (a_shape.rank() == 0 || b_shape.rank() == 0) site.refuse("a scalar can't be multiplied");
  const auto a = matrix_dims(a_shape, Side::Left), b = matrix_dims(b_shape, Side::Right);
  std::vector<std::int64_t> batch(std::max(a.size(), b.size()) - 2, 1);
  for (const auto* dims : {&a, &b})
    for (std::size_t i = 0; i + 2 < dims->size(); ++i) {
      auto& size = batch[batch.size() - (dims->size() - 2) + i];
      if ((*dims)[i] != 1) size = (*dims)[i];
    }
  MatrixShape s{.m = a[a.size() - 2], .n = b.back(), .k = a.back()};
  s.a_row = s.k;
  s.a_depth = 1;
  s.b_column = 1;
  s.b_depth = s.n;
  s.a_start = starts(a, Shape(batch));
  s.b_start = starts(b, Shape(batch));
  return make(site, std::move(s));
}

}  // namespace inferometer::reference
