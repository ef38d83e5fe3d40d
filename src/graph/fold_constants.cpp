// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "graph/operators.hpp"
#include "graph/passes.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

bool is_fixed(const Value& value) {
  return value.dtype && value.shape &&
         std::all_of(value.shape->begin(), value.shape->end(),
                     [](const Dim& d) { return d.size >= 0; });
}

/// Size of the node's only output, nullopt when unknown.
std::optional<std::int64_t> output_bytes(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return std::nullopt;
  const auto& value = graph.value(node.outputs[0]);
  if (!is_fixed(value)) return std::nullopt;
  std::int64_t bytes = static_cast<std::int64_t>(size_bytes(*value.dtype));
  for (const auto& dim : *value.shape) {
    const auto next = checked_mul(bytes, dim.size);
    if (!next) return std::nullopt;
    bytes = *next;
  }
  return bytes;
}

/// Shape needs no data, only its input's shape.
bool inputs_suffice(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return id == kNoValue || graph.value(id).constant ||
           (node.op == "Shape" && is_fixed(graph.value(id)));
  });
}

std::optional<Constant> folded(const Graph& graph, const Node& node, std::size_t limit_bytes) {
  const auto* rule = find_operator(node);
  if (rule == nullptr || rule->fold == nullptr || !inputs_suffice(graph, node)) return std::nullopt;
  const auto bytes = output_bytes(graph, node);
  if (!bytes || static_cast<std::uint64_t>(*bytes) > limit_bytes) return std::nullopt;
  Folding at{graph, node, {}, {&graph.value(node.outputs[0])}};
  for (const auto id : node.inputs) {
    at.inputs.push_back(id != kNoValue && graph.value(id).constant ? &*graph.value(id).constant
                                                                   : nullptr);
  }
  return rule->fold(at);
}

}  // namespace

void fold_constants(Graph& graph, std::size_t limit_bytes) {
  std::vector<Node> kept;
  kept.reserve(graph.nodes.size());
  for (auto& node : graph.nodes) {
    // A constant found above may be the shape or the axes that this node waited for.
    if (const auto* rule = find_operator(node)) {
      check_node(*rule, node);
      Inference at(graph, node);
      rule->infer(at);
    }
    if (auto constant = folded(graph, node, limit_bytes)) {
      graph.value(node.outputs[0]).constant = std::move(constant);
    } else {
      kept.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(kept);
}

}  // namespace inferometer::graph
