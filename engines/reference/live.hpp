// SPDX-License-Identifier: Apache-2.0
// Running a graph whose shapes depend on data: node after node, each inferred and prepared when the
// tensors that it reads are there.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.hpp"
#include "kernel.hpp"

namespace inferometer::reference {

/// True when every shape, and every value that a shape or a kernel hangs on, is known before the
/// graph runs; else it can't be planned ahead.
bool is_plannable(const graph::Graph& graph);

/// The outputs in the graph's order. `graph`: constants aligned. Throws Error{Invalid} naming the
/// node for shapes that contradict, Error{OutOfMemory} for tensors beyond the machine.
std::vector<Tensor> run_live(const graph::Graph& graph, std::span<const View> inputs, Pool& pool,
                             const Multiplier& multiplier);

}  // namespace inferometer::reference
