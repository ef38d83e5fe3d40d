// SPDX-License-Identifier: Apache-2.0
// What the null engine writes: every output row depends on the input row of the same number and on
// nothing else, so that a lost, swapped, stale or padded row shows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inferometer/tensor.hpp"

namespace inferometer::null {

/// `rows` rows of `row_elements` elements, one after the other.
struct Rows {
  std::byte* data = nullptr;
  DType dtype = DType::F32;
  std::int64_t rows = 0;
  std::int64_t row_elements = 0;

  std::size_t row_bytes() const {
    return static_cast<std::size_t>(row_elements) * size_bytes(dtype);
  }
};

/// Element j of an output row is element j of its input row (again from the start when the input
/// row is shorter). With different dtypes it is a small positive number made from byte j of the
/// input row. An input that isn't split (`in.rows` == 1) serves every output row.
void fill_rows(const Rows& in, const Rows& out);

/// The scripted damages. `nan` gives the largest value where a dtype has no NaN.
void make_wrong(const Rows& out);
void make_nan(const Rows& out);
void swap_first_rows(const Rows& out);

}  // namespace inferometer::null
