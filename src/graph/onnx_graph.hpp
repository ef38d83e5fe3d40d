// SPDX-License-Identifier: Apache-2.0
// GraphProto to Graph.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "graph/onnx_tensor.hpp"
#include "graph/wire.hpp"

namespace inferometer::graph {

/// A FunctionProto: nodes stay in the file's form until a call puts them in its place.
struct FunctionBody {
  std::vector<std::string> inputs, outputs;
  std::vector<WireMessage> nodes;
  std::vector<WireMessage> defaults;  ///< attributes that a call may leave out
};

using Attributes = std::map<std::string, Attribute>;

/// What every (sub)graph of one model file shares.
struct ModelContext {
  std::shared_ptr<const void> owner;  ///< keeps the mapping alive
  ExternalData external;
  std::int64_t opset = 0;
  std::map<std::string, std::int64_t> domains;
  std::map<std::pair<std::string, std::string>, FunctionBody> functions;  ///< by domain, name
  /// Calls that are being put in place, and what all of them have brought: functions that call
  /// functions grow without bound.
  int call_depth = 0;
  std::size_t inlined_nodes = 0, inlined_bytes = 0;
};

/// A whole graph: every name is resolved, nodes are sorted, Constant nodes are constants. Throws
/// Error{Invalid} naming node, tensor or value.
Graph read_graph(WireMessage message, ModelContext& context);
/// A body of If, Loop or Scan: names that it doesn't define itself are `captured`. `given`: the
/// attributes of the call when it stands in a function, else nullptr.
Graph read_subgraph(WireMessage message, ModelContext& context, const Attributes* given);

/// An attribute as a node has it; subgraphs by read_subgraph. In a function it may refer to one of
/// the call: nullopt when the call hasn't got that.
std::optional<std::pair<std::string, Attribute>> read_attribute(WireMessage message,
                                                                const std::string& node,
                                                                ModelContext& context,
                                                                const Attributes* given);

}  // namespace inferometer::graph
