// SPDX-License-Identifier: Apache-2.0
#include "shrink.hpp"

#include <algorithm>

#include "graph/passes.hpp"

namespace inferometer::random_graphs {
namespace {

using graph::ValueId;

void drop_unread_inputs(graph::Graph& graph) {
  std::vector<ValueId> read = graph.outputs;
  for (const auto& node : graph.nodes)
    read.insert(read.end(), node.inputs.begin(), node.inputs.end());
  std::erase_if(graph.inputs,
                [&](ValueId id) { return std::ranges::find(read, id) == read.end(); });
}

RandomGraph tidied(RandomGraph made) {
  graph::remove_dead(made.graph);
  drop_unread_inputs(made.graph);
  graph::remove_dead(made.graph);
  return made;
}

RandomGraph with_only(const RandomGraph& from, ValueId output) {
  RandomGraph made = from;
  made.graph.outputs = {output};
  return tidied(std::move(made));
}

/// In the order in which they are computed.
std::vector<ValueId> comparable_values(const RandomGraph& from) {
  std::vector<ValueId> values;
  for (const auto& node : from.graph.nodes)
    for (const auto id : node.outputs)
      if (from.bounds.contains(from.graph.value(id).name)) values.push_back(id);
  return values;
}

/// The node's outputs become inputs of the graph.
std::optional<RandomGraph> without(const RandomGraph& from, std::size_t node) {
  RandomGraph made = from;
  auto& graph = made.graph;
  for (const auto id : graph.nodes[node].outputs) {
    if (graph.value(id).dtype != DType::F32) return std::nullopt;
    if (std::ranges::find(graph.outputs, id) != graph.outputs.end()) return std::nullopt;
    graph.inputs.push_back(id);
  }
  graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(node));
  return tidied(std::move(made));
}

}  // namespace

RandomGraph shrink(RandomGraph graph, const std::function<bool(const RandomGraph&)>& fails) {
  for (const auto value : comparable_values(graph)) {
    auto smaller = with_only(graph, value);
    if (!fails(smaller)) continue;
    graph = std::move(smaller);
    break;
  }
  // From the front: a cut near the outputs takes most of the graph away at once.
  for (bool changed = true; changed;) {
    changed = false;
    for (auto node = graph.graph.nodes.size(); node-- > 0;) {
      if (node >= graph.graph.nodes.size()) continue;
      auto smaller = without(graph, node);
      if (!smaller || smaller->graph.nodes.size() >= graph.graph.nodes.size() || !fails(*smaller))
        continue;
      graph = std::move(*smaller);
      changed = true;
    }
  }
  return graph;
}

}  // namespace inferometer::random_graphs
