// SPDX-License-Identifier: Apache-2.0
#include "known_limits.hpp"

#include <algorithm>
#include <set>

namespace inferometer::random_graphs {
namespace {

bool dilated_same(const graph::Graph&, const graph::Node& node) {
  const auto pad = graph::string_attribute(node, "auto_pad", "NOTSET");
  const auto dilations = graph::ints_attribute(node, "dilations", {});
  return node.op == "Conv" && pad.starts_with("SAME") &&
         std::ranges::any_of(dilations, [](std::int64_t d) { return d > 1; });
}

bool reduced_by_attribute(const graph::Graph& graph, const graph::Node& node) {
  static const std::set<std::string> ops = {"ReduceL1", "ReduceLogSumExp", "ReduceSumSquare"};
  return graph.opset < 18 && ops.contains(node.op);
}

bool one_wide(const graph::Graph& graph, const graph::Node& node) {
  return node.op == "Conv" && graph.value(node.outputs[0]).shape->back().size == 1;
}

bool is_list(const graph::Graph& graph, graph::ValueId id) {
  return id != graph::kNoValue && graph.value(id).constant && graph.value(id).shape->size() == 1;
}

// The node that reads both a constant list and what a reduction made.
bool reduced_with_list(const graph::Graph& graph, const graph::Node& node) {
  const auto reduced = [&](graph::ValueId id) {
    return std::ranges::any_of(graph.nodes, [&](const graph::Node& other) {
      return other.op.starts_with("Reduce") && other.outputs[0] == id;
    });
  };
  const auto list = [&](graph::ValueId id) { return is_list(graph, id); };
  return !node.op.starts_with("Reduce") && std::ranges::any_of(node.inputs, reduced) &&
         std::ranges::any_of(node.inputs, list);
}

bool pooled_to_one(const graph::Graph&, const graph::Node& node) {
  return node.op.starts_with("Global");
}

// Abs of what a Concat made and somebody else reads too.
bool shared_concat(const graph::Graph& graph, const graph::Node& node) {
  if (node.op != "Abs") return false;
  const auto id = node.inputs[0];
  const auto makes = [&](const graph::Node& other) {
    return other.op == "Concat" && other.outputs[0] == id;
  };
  const auto reads = [&](const graph::Node& other) {
    return &other != &node && std::ranges::find(other.inputs, id) != other.inputs.end();
  };
  return std::ranges::any_of(graph.nodes, makes) &&
         (std::ranges::any_of(graph.nodes, reads) ||
          std::ranges::find(graph.outputs, id) != graph.outputs.end());
}

constexpr KnownLimit kLimits[] = {
    {"onnxruntime", "Conv with auto_pad SAME_* and dilations fails in predict", dilated_same},
    {"openvino", "ReduceL1, ReduceLogSumExp and ReduceSumSquare below opset 18 reduce every axis",
     reduced_by_attribute},
    {"openvino", "elementwise operators after a Conv whose rows are one wide: values swapped",
     one_wide},
    {"openvino", "a list of numbers combined with what a reduction made: values",
     reduced_with_list},
    {"openvino", "Abs of a Concat that others read too overwrites it", shared_concat},
    {"openvino", "elementwise operators after a global pool, then another layout: values swapped",
     pooled_to_one},
};

}  // namespace

std::span<const KnownLimit> known_limits() {
  return kLimits;
}

const KnownLimit* known_limit(const std::string& engine, const graph::Graph& graph) {
  for (const auto& limit : kLimits) {
    if (engine != limit.engine) continue;
    if (std::ranges::any_of(graph.nodes,
                            [&](const auto& node) { return limit.concerns(graph, node); }))
      return &limit;
  }
  return nullptr;
}

}  // namespace inferometer::random_graphs
