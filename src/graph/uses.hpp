// SPDX-License-Identifier: Apache-2.0
// Who reads what: the edges of a graph, those into subgraphs (If, Loop) included.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// Names that the node's subgraphs read from the graph around them.
std::vector<std::string> captured_names(const Node& node);

/// Changes those names, in copies of the subgraphs; `renamed` gives the new name of each.
void rename_captured(Node& node, const std::function<std::string(const std::string&)>& renamed);

using ValueIndex = std::unordered_map<std::string, ValueId>;
ValueIndex index_values(const Graph& graph);

/// Values that the node reads: its inputs (left-out ones apart), then what its subgraphs capture.
std::vector<ValueId> values_read(const Node& node, const ValueIndex& index);

/// Orders nodes so that every value is produced before it is read; nodes already in order stay so.
/// Throws Error{Invalid} naming a node on a cycle.
void sort_nodes(Graph& graph);

}  // namespace inferometer::graph
