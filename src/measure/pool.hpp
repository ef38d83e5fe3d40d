// SPDX-License-Identifier: Apache-2.0
// The pool of input rows: a prime number of seeded rows. Row i of a batch is pool row i mod 37, so
// that swapped, stale or lost rows show, and golden outputs cost 37 rows however large the batch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "inferometer/model.hpp"
#include "inferometer/tensor.hpp"
#include "measure/fill.hpp"

namespace inferometer::measure {

inline constexpr std::int64_t kPoolRows = 37;
inline constexpr std::uint64_t kSeed = 1;  ///< unless another is asked for
/// Counts up whenever a seed begins to mean other values: goldens are kept for the values.
inline constexpr int kPoolVersion = 2;

/// One tensor per port: `rows` pool rows along the batch axis, or the whole tensor for a port
/// without one. A row depends on (seed, port, its fill, row) alone, not on `rows`. `fills` has one
/// for every port, or none: as usual. Symbolic axes that aren't the batch axis have size 1. Throws
/// Error{Invalid} on a shape too large and as check_fill.
std::vector<Tensor> pool_inputs(std::span<const Port> ports, std::int64_t rows, std::uint64_t seed,
                                std::span<const Fill> fills = {});

/// The same for one port.
Tensor pool_input(std::span<const Port> ports, std::size_t index, std::int64_t rows,
                  std::uint64_t seed, const Fill& fill);

/// `rows` rows along `axis`, row i = row (first + i) mod (rows of the source).
Tensor repeat_rows(const Tensor& source, int axis, std::int64_t rows, std::int64_t first = 0);

/// Rows [first, first + count) along `axis`, copied. Throws Error{Invalid} out of range.
Tensor take_rows(const View& source, int axis, std::int64_t first, std::int64_t count);

}  // namespace inferometer::measure
