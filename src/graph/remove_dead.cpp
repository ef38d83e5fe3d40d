// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ranges>
#include <unordered_set>

#include "graph/passes.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {

namespace {

bool only_passes_on(const Graph& graph, const Node& node) {
  if (!node.domain.empty() || node.inputs.empty()) return false;
  if (node.op != "Dropout") return node.op == "Identity";
  // The mask of a Dropout that is read keeps the node, and so does a training mode that isn't
  // known: shape inference refuses a constant true.
  const auto training = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
  return (node.outputs.size() == 1 || node.outputs[1] == kNoValue) &&
         (training == kNoValue || graph.value(training).constant);
}

/// Values whose name somebody outside relies on: outputs, and what subgraphs read by name.
std::unordered_set<ValueId> named_values(const Graph& graph) {
  std::unordered_set<ValueId> named(graph.outputs.begin(), graph.outputs.end());
  const auto index = index_values(graph);
  for (const auto& node : graph.nodes) {
    for (const auto& name : captured_names(node)) {
      const auto found = index.find(name);
      if (found != index.end()) named.insert(found->second);
    }
  }
  return named;
}

/// Follows replacements to their end.
ValueId resolved(const std::vector<ValueId>& replacement, ValueId id) {
  while (id != kNoValue && replacement[static_cast<std::size_t>(id)] != id) {
    id = replacement[static_cast<std::size_t>(id)];
  }
  return id;
}

void pass_through(Graph& graph) {
  const auto named = named_values(graph);
  std::vector<ValueId> replacement(graph.values.size());
  for (std::size_t i = 0; i < replacement.size(); ++i) replacement[i] = static_cast<ValueId>(i);
  std::vector<bool> made_by_kept(graph.values.size(), false);
  std::vector<Node> kept;
  for (auto& node : graph.nodes) {
    if (only_passes_on(graph, node)) {
      const auto from = resolved(replacement, node.inputs[0]);
      const auto to = node.outputs[0];
      if (named.count(to) == 0) {
        replacement[static_cast<std::size_t>(to)] = from;
        continue;
      }
      // An output keeps its name: the node that makes `from` makes it instead.
      if (made_by_kept[static_cast<std::size_t>(from)] && named.count(from) == 0) {
        replacement[static_cast<std::size_t>(from)] = to;
        made_by_kept[static_cast<std::size_t>(to)] = true;
        continue;
      }
    }
    for (const auto id : node.outputs) {
      if (id != kNoValue) made_by_kept[static_cast<std::size_t>(id)] = true;
    }
    kept.push_back(std::move(node));
  }
  for (auto& node : kept) {
    for (auto& id : node.inputs) id = resolved(replacement, id);
    for (auto& id : node.outputs) id = resolved(replacement, id);
  }
  graph.nodes = std::move(kept);
}

std::vector<bool> needed_values(Graph& graph) {
  const auto index = index_values(graph);
  std::vector<bool> needed(graph.values.size(), false);
  const auto need = [&](ValueId id) {
    if (id != kNoValue) needed[static_cast<std::size_t>(id)] = true;
  };
  for (const auto id : graph.outputs) need(id);
  for (const auto id : graph.inputs) need(id);
  for (const auto id : graph.captured) need(id);
  std::vector<Node> kept;
  for (auto& node : graph.nodes | std::views::reverse) {
    const bool used = std::ranges::any_of(node.outputs, [&](ValueId id) {
      return id != kNoValue && needed[static_cast<std::size_t>(id)];
    });
    if (!used) continue;
    for (const auto id : values_read(node, index)) need(id);
    for (const auto id : node.outputs) need(id);
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  return needed;
}

void compact_values(Graph& graph, const std::vector<bool>& needed) {
  std::vector<ValueId> moved(graph.values.size(), kNoValue);
  std::vector<Value> values;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    moved[i] = static_cast<ValueId>(values.size());
    values.push_back(std::move(graph.values[i]));
  }
  const auto move_all = [&](std::vector<ValueId>& ids) {
    for (auto& id : ids) id = id == kNoValue ? kNoValue : moved[static_cast<std::size_t>(id)];
  };
  for (auto& node : graph.nodes) {
    move_all(node.inputs);
    move_all(node.outputs);
  }
  move_all(graph.inputs);
  move_all(graph.outputs);
  move_all(graph.captured);
  graph.values = std::move(values);
}

}  // namespace

void remove_dead(Graph& graph) {
  pass_through(graph);
  const auto needed = needed_values(graph);
  compact_values(graph, needed);
}

}  // namespace inferometer::graph
