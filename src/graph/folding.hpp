// SPDX-License-Identifier: Apache-2.0
// Helpers of the constant folding functions.
#pragma once

#include <memory>
#include <vector>

#include "graph/graph.hpp"
#include "graph/operators.hpp"

namespace inferometer::graph {

/// Memory for the node's output, written by the caller.
struct FoldedOutput {
  explicit FoldedOutput(const Value& value);
  Constant take();
  std::size_t count() const { return memory->size() / size_bytes(dtype); }

  DType dtype;
  std::vector<std::int64_t> shape;
  std::shared_ptr<std::vector<std::byte>> memory;
};

}  // namespace inferometer::graph
