// SPDX-License-Identifier: Apache-2.0
#include <unordered_set>

#include "graph/elements.hpp"
#include "graph/passes.hpp"
#include "graph/sizes.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

std::int64_t multiplied(const Node& node, std::int64_t a, std::int64_t b) {
  const auto product = checked_mul(a, b);
  if (!product) throw_invalid("node {} ({}): its operations overflow", node.name, node.op);
  return *product;
}

/// Every open axis counts as `symbol_value`.
std::vector<std::int64_t> sizes_of(const Value& value, std::int64_t symbol_value) {
  std::vector<std::int64_t> sizes;
  for (const auto& dim : *value.shape) sizes.push_back(dim.size >= 0 ? dim.size : symbol_value);
  return sizes;
}

std::int64_t elements_of(const Node& node, const std::vector<std::int64_t>& sizes) {
  std::int64_t count = 1;
  for (const auto size : sizes) count = multiplied(node, count, size);
  return count;
}

std::int64_t node_macs(const Graph& graph, const Node& node, std::int64_t symbol_value) {
  const bool conv = node.op == "Conv" || node.op == "ConvTranspose";
  if (!node.domain.empty() || !(conv || node.op == "Gemm" || node.op == "MatMul")) return 0;
  const auto& left = graph.value(node.inputs[0]);
  const auto& right = graph.value(node.inputs[1]);
  const auto& result = graph.value(node.outputs[0]);
  if (!left.shape || !right.shape || !result.shape) {
    throw_invalid("node {} ({}): shapes are not known, so its operations can't be counted",
                  node.name, node.op);
  }
  const auto a = sizes_of(left, symbol_value);
  const auto b = sizes_of(right, symbol_value);
  // Every element of the output (ConvTranspose: of the input) meets one filter.
  if (conv) {
    const bool transposed = node.op == "ConvTranspose";
    const auto places = elements_of(node, transposed ? a : sizes_of(result, symbol_value));
    return multiplied(node, places, elements_of(node, {b.begin() + 1, b.end()}));
  }
  const bool flipped = node.op == "Gemm" && int_attribute(node, "transA", 0) != 0;
  const auto inner = flipped ? a[0] : a.back();
  return multiplied(node, elements_of(node, sizes_of(result, symbol_value)), inner);
}

/// `graph` with every open axis of its inputs set, so that what follows from them is exact.
Graph with_sizes(const Graph& graph, std::int64_t symbol_value) {
  Graph sized = graph;
  for (auto& value : sized.values) {
    if (!value.shape) continue;
    for (auto& dim : *value.shape) {
      if (dim.size < 0 && !dim.symbol.empty()) dim = {symbol_value, ""};
    }
  }
  for (const auto id : sized.inputs) {
    if (!sized.value(id).shape) continue;
    for (auto& dim : *sized.value(id).shape) {
      if (dim.size < 0) dim = {symbol_value, ""};
    }
  }
  infer_shapes(sized);
  return sized;
}

}  // namespace

std::int64_t count_macs(const Graph& graph, std::int64_t symbol_value) {
  const auto sized = with_sizes(graph, symbol_value);
  std::int64_t total = 0;
  for (const auto& node : sized.nodes) {
    const auto sum = checked_add(total, node_macs(sized, node, symbol_value));
    if (!sum) throw_invalid("the model's operations overflow");
    total = *sum;
  }
  return total;
}

std::int64_t count_parameters(const Graph& graph) {
  std::unordered_set<ValueId> statistics;
  for (const auto& node : graph.nodes) {
    if (node.op != "BatchNormalization" || node.inputs.size() < 5) continue;
    statistics.insert({node.inputs[3], node.inputs[4]});
  }
  std::int64_t count = 0;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const auto& constant = graph.values[i].constant;
    if (!constant || !is_floating(constant->dtype)) continue;
    if (statistics.count(static_cast<ValueId>(i)) == 0) count += constant->elements();
  }
  return count;
}

}  // namespace inferometer::graph
