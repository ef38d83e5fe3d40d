// SPDX-License-Identifier: Apache-2.0
#include "graph/clusters.hpp"

#include <algorithm>
#include <optional>

#include "graph/operators.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {
namespace {

bool is_product(const Node& node) {
  return node.domain.empty() && (node.op == "Conv" || node.op == "ConvTranspose" ||
                                 node.op == "Gemm" || node.op == "MatMul");
}

std::optional<ValueId> only_output(const Node& node) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return std::nullopt;
  return node.outputs[0];
}

bool is_elementwise(const Node& node) {
  const auto* rule = find_operator(node);
  return rule != nullptr && rule->elementwise && only_output(node);
}

bool same_shape(const Value& a, const Value& b) {
  if (!a.shape || !b.shape) return false;
  return std::ranges::equal(*a.shape, *b.shape, [](const Dim& x, const Dim& y) {
    // Two open axes without a symbol needn't be equal.
    return x.size == y.size && x.symbol == y.symbol && (x.size >= 0 || !x.symbol.empty());
  });
}

/// How many nodes read each value; outputs of the graph count once more.
std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.values.size(), 0);
  const auto index = index_values(graph);
  for (const auto& node : graph.nodes) {
    auto read = values_read(node, index);
    std::ranges::sort(read);
    const auto repeated = std::ranges::unique(read);
    read.erase(repeated.begin(), repeated.end());
    for (const auto id : read) ++readers[static_cast<std::size_t>(id)];
  }
  for (const auto id : graph.outputs) ++readers[static_cast<std::size_t>(id)];
  return readers;
}

class Finder {
 public:
  explicit Finder(const Graph& graph)
      : graph_(graph), readers_(count_readers(graph)), ending_(graph.values.size()) {}

  std::vector<Cluster> find() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) add(i);
    std::erase_if(clusters_, [](const Cluster& cluster) { return cluster.nodes.size() < 2; });
    std::ranges::sort(clusters_, {}, [](const Cluster& cluster) { return cluster.nodes.back(); });
    return std::move(clusters_);
  }

 private:
  void add(std::size_t i) {
    const auto& node = graph_.nodes[i];
    const bool product = is_product(node);
    const auto output = only_output(node);
    if (!output || !(product || is_elementwise(node))) return;
    const auto before = product ? std::nullopt : cluster_before(node, *output);
    if (!before) clusters_.push_back({{}, product});
    const auto cluster = before.value_or(clusters_.size() - 1);
    clusters_[cluster].nodes.push_back(i);
    ending_[static_cast<std::size_t>(*output)] = cluster;
  }

  /// The cluster that `node` makes longer; of several the one that ends last.
  std::optional<std::size_t> cluster_before(const Node& node, ValueId output) const {
    std::optional<std::size_t> best;
    for (const auto id : flowing_inputs(node)) {
      if (id == kNoValue) continue;
      const auto cluster = ending_[static_cast<std::size_t>(id)];
      if (!cluster || readers_[static_cast<std::size_t>(id)] != 1) continue;
      if (!same_shape(graph_.value(id), graph_.value(output))) continue;
      if (!best || clusters_[*cluster].nodes.back() > clusters_[*best].nodes.back()) best = cluster;
    }
    return best;
  }

  /// Inputs whose elements the node works on: CastLike only asks its second one for a dtype.
  static std::vector<ValueId> flowing_inputs(const Node& node) {
    if (node.op == "CastLike" && !node.inputs.empty()) return {node.inputs[0]};
    return node.inputs;
  }

  const Graph& graph_;
  std::vector<int> readers_;
  std::vector<std::optional<std::size_t>> ending_;  ///< value -> the cluster that ends with it
  std::vector<Cluster> clusters_;
};

}  // namespace

std::vector<Cluster> find_clusters(const Graph& graph) {
  return Finder(graph).find();
}

}  // namespace inferometer::graph
