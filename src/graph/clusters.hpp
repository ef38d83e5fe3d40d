// SPDX-License-Identifier: Apache-2.0
// Nodes that can be computed in one go: element-wise chains, alone or as the epilogue of a
// convolution or matrix product.
#pragma once

#include <cstddef>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// At least two nodes. Each but the last has one output, which only the next one reads (and no
/// output of the graph is), of the shape that the next one makes of it, though maybe of another
/// dtype; so the cluster may run where its last node stands, and nothing in between need be stored.
struct Cluster {
  /// Indices of nodes, ascending. The first may be a Conv, ConvTranspose, Gemm or MatMul; all
  /// others are element-wise. Other inputs of theirs come from outside the cluster.
  std::vector<std::size_t> nodes;
  bool is_epilogue = false;  ///< the first node is one of those
};

/// The clusters of a graph whose shapes are inferred, longest possible, in the order of their last
/// nodes; no node is in two. An element-wise node that could follow two clusters follows the one
/// that ends later.
std::vector<Cluster> find_clusters(const Graph& graph);

}  // namespace inferometer::graph
