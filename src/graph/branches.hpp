// SPDX-License-Identifier: Apache-2.0
// If nodes whose condition is known.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// The nodes of the branch that an If takes, to stand in its place; their values are added to
/// `graph`. nullopt when the node is no If or its condition isn't known. Throws Error{Invalid}
/// naming the node when the branch is missing or doesn't suit the node.
std::optional<std::vector<Node>> taken_branch(Graph& graph, const Node& node);

}  // namespace inferometer::graph
