// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graph/graph.hpp"

namespace inferometer::random_graphs {

/// A legal graph of some 5 to 200 nodes, the same for the same seed: odd shapes, shared
/// initialisers, one to some ten outputs; half of them with a symbolic batch axis.
struct RandomGraph {
  graph::Graph graph;
  std::map<std::string, double> bounds;  ///< name of a float value -> no element is larger in size
  std::map<std::string, std::int64_t> whole;  ///< int64 inputs: values 0..this
};
RandomGraph random_graph(std::uint64_t seed);

}  // namespace inferometer::random_graphs
