// SPDX-License-Identifier: Apache-2.0
// One node with what is known about its inputs: what inference, folding and the engines' kernels
// read it through, so that they agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

/// Absent inputs have neither shape nor dtype nor constant.
class NodeView {
 public:
  NodeView(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Node& node() const { return node_; }
  const Graph& graph() const { return graph_; }
  std::string_view op() const { return node_.op; }
  std::int64_t opset() const { return graph_.opset; }
  std::size_t input_count() const { return node_.inputs.size(); }
  std::size_t output_count() const { return node_.outputs.size(); }
  bool has(std::size_t input) const { return value(input) != nullptr; }
  /// nullptr when unknown.
  const std::vector<Dim>* shape(std::size_t input) const;
  const std::vector<Dim>* output_shape(std::size_t output) const;
  std::optional<DType> dtype(std::size_t input) const;
  const Constant* constant(std::size_t input) const;

  /// All sizes of an input; nullopt while one is unknown.
  std::optional<std::vector<std::int64_t>> sizes(std::size_t input) const;
  /// A small integer input as far as it is known.
  std::optional<std::vector<Element>> elements(std::size_t input) const;
  /// The same when all of it is known. Throws Error{Invalid} for a constant of more than
  /// kMaxElements or not of integers.
  std::optional<std::vector<std::int64_t>> integers(std::size_t input) const;
  /// A small constant floating input; nullopt when it isn't constant.
  std::optional<std::vector<double>> reals(std::size_t input) const;

  /// The inputs' common dtype, as far as it is known. Throws Error{Invalid} when two differ.
  std::optional<DType> common_dtype(std::size_t first = 0) const;

  /// Throws Error{Invalid} "node X (Op): ...".
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw_invalid("{}: {}", label(), fmt::format(format, std::forward<Args>(args)...));
  }
  std::string label() const;

  /// `axis` counted from the front. Throws Error{Invalid} outside -rank..rank-1.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;

 private:
  const Value* value(std::size_t input) const;
  const Constant* small_constant(std::size_t input) const;

  const Graph& graph_;
  const Node& node_;
};

}  // namespace inferometer::graph
