// SPDX-License-Identifier: Apache-2.0
// GraphProto to Graph.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "graph/graph.hpp"
#include "graph/onnx_tensor.hpp"
#include "graph/wire.hpp"

namespace inferometer::graph {

/// What every (sub)graph of one model file shares.
struct ModelContext {
  std::shared_ptr<const void> owner;  ///< keeps the mapping alive
  ExternalData external;
  std::int64_t opset = 0;
  std::map<std::string, std::int64_t> domains;
  std::set<std::pair<std::string, std::string>> functions;  ///< domain, name
};

/// A whole graph: every name is resolved, nodes are sorted, Constant nodes are constants. Throws
/// Error{Invalid} naming node, tensor or value.
Graph read_graph(WireMessage message, ModelContext& context);
/// A body of If, Loop or Scan: names that it doesn't define itself are `captured`.
Graph read_subgraph(WireMessage message, ModelContext& context);

/// Attributes as a node has them; subgraphs by read_subgraph.
std::pair<std::string, Attribute> read_attribute(WireMessage message, const std::string& node,
                                                 ModelContext& context);

}  // namespace inferometer::graph
