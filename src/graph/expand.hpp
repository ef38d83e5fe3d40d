// SPDX-License-Identifier: Apache-2.0
// If and Loop in the graph around them, as far as their conditions are known.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {

/// Puts bodies in the place of their nodes; adds their values to the graph. While one is at work
/// nothing else adds values.
class Expander {
 public:
  /// `graph` must outlive it. Values, nodes and their ports together count in `budget`: a file of a
  /// few bytes may ask for any number of iterations.
  Expander(Graph& graph, std::size_t budget) : graph_(graph), left_(budget) {}

  /// An If whose condition is constant: the nodes of the branch that it takes. A Loop whose trip
  /// count and condition are constant: the nodes of one iteration and a Loop of those that are
  /// left,   /// or, after the last, nodes that hand its results on. nullopt for any other node,
  /// and where the budget doesn't suffice. A body's condition counts even where the Loop was given
  /// none, as in ONNX's reference and ONNX Runtime. What a body declares of its values is not taken
  /// over: the next iteration may be of another shape. Throws Error{Invalid} naming the node when a
  /// body is missing or doesn't suit it.
  std::optional<std::vector<Node>> expand(const Node& node);

  /// By name, with the values added so far.
  const ValueIndex& index();

 private:
  struct Spliced {
    std::vector<Node> nodes;
    std::vector<ValueId> outputs;  ///< of the body, in the graph
  };
  friend class Splice;

  std::vector<Node> iterate(const Node& node, const Graph& body, std::int64_t iteration);
  std::vector<Node> finish(const Node& node, const Graph& body);
  ValueId add_no_rows(const Node& node, const Graph& body, std::size_t output);
  std::optional<std::vector<Node>> expand_loop(const Node& node);
  std::optional<std::vector<Node>> expand_if(const Node& node);
  bool afford(const Graph& body);
  std::string unused(std::string name);
  Spliced splice(const Node& node, const Graph& body, const std::vector<ValueId>& inputs);
  ValueId add(Value value);
  ValueId add_scalar(const Node& node, DType dtype, std::int64_t number);
  ValueId appended(const Node& node, ValueId so_far, ValueId row, std::vector<Node>& nodes);

  Graph& graph_;
  std::optional<ValueIndex> index_;
  std::size_t left_;
};

}  // namespace inferometer::graph
