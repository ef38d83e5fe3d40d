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

bool sloped_by_list(const graph::Graph& graph, const graph::Node& node) {
  return node.op == "PRelu" && graph.value(node.inputs[1]).shape->size() == 1;
}

bool pooled_to_one(const graph::Graph&, const graph::Node& node) {
  return node.op.starts_with("Global");
}

constexpr KnownLimit kLimits[] = {
    {"onnxruntime", "Conv with auto_pad SAME_* and dilations fails in predict", dilated_same},
    {"openvino", "ReduceL1, ReduceLogSumExp and ReduceSumSquare below opset 18 reduce every axis",
     reduced_by_attribute},
    {"openvino", "PRelu takes a slope of rank 1 for one along the channels", sloped_by_list},
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
