// SPDX-License-Identifier: Apache-2.0
// Operands of different shapes walked together, row by row of the output.
#pragma once

#include <array>
#include <vector>

#include "kernel.hpp"

namespace inferometer::reference {

/// Elements to step for every axis of the output; 0 where the operand is repeated.
using Steps = std::array<std::int64_t, kMaxRank>;

/// The last axis of the output is a row; a scalar is one row of one element.
struct Broadcast {
  Shape out;
  std::int64_t rows = 1, size = 1;
  std::vector<Steps> operands;

  /// The element of an operand that a row begins with.
  std::int64_t start(std::size_t operand, std::int64_t row) const;
  /// Between neighbours in a row: 0 or 1.
  std::int64_t step(std::size_t operand) const;
  /// Calls body(row, first element of the output) for every row, on the pool's threads.
  void for_rows(Pool& pool,
                const std::function<void(std::int64_t row, std::int64_t first)>& body) const;
};

/// Of all inputs of the node.
Broadcast make_broadcast(const Site& site);

}  // namespace inferometer::reference
