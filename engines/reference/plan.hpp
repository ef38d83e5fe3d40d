// SPDX-License-Identifier: Apache-2.0
// A graph made ready to run for one set of input shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "kernel.hpp"

namespace inferometer::reference {

/// Where a tensor is while the plan runs.
struct Place {
  enum class Kind { None, Input, Output, Arena, Constant };
  Kind kind = Kind::None;
  std::size_t at = 0;  ///< number of the input or output; byte in the arena
  View view;           ///< dtype and shape; data for constants
};

struct Step {
  std::string node, op;
  Compute compute;
  std::vector<Place> in, out;
};

/// Constant after make_plan; used by many contexts at once.
struct Plan {
  std::vector<Step> steps;
  std::vector<Place> outputs;  ///< of the graph, with their shapes
  std::size_t arena_bytes = 0;
  std::vector<std::shared_ptr<const void>> owners;  ///< of the constants' memory
  /// Set instead of the others when shapes depend on data: what run_live runs.
  std::shared_ptr<const graph::Graph> live;
};

/// True when dtype and every size of the shape are known.
bool is_known(const graph::Value& value);
/// dtype and shape of a value, without data. Throws Error{Unsupported} while they aren't known,
/// Error{OutOfMemory} for more than the machine has.
View planned_view(const graph::Value& value);

/// Throws Error{Unsupported} naming operator and node, Error{Invalid} for shapes that contradict.
/// `shapes`: of the inputs, all concrete.
std::shared_ptr<const Plan> make_plan(const graph::Graph& graph, std::span<const Shape> shapes);

/// Aligned memory for a plan's intermediate tensors; grows, never shrinks.
class Arena {
 public:
  std::byte* reserve(std::size_t bytes);

 private:
  Tensor memory_;
};

/// Not for live plans. `inputs` and `outputs` hold data for every port. `ns`: when not empty, one
/// entry a step is filled with its duration.
void run_plan(const Plan& plan, std::span<const View> inputs, std::span<const View> outputs,
              Arena& arena, Pool& pool, const Multiplier& multiplier, std::span<std::int64_t> ns);

}  // namespace inferometer::reference
