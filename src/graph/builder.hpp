// SPDX-License-Identifier: Apache-2.0
// Building graphs in C++: the zoo's and the tests' way to make a model.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// An axis without a fixed size.
inline Dim symbol_dim(std::string symbol) {
  return {-1, std::move(symbol)};
}
/// {2, 3} as fixed axes.
std::vector<Dim> fixed_dims(std::span<const std::int64_t> sizes);

/// Adds inputs, constants and nodes in order, then gives the graph with every shape inferred.
///   Builder b("double");
///   const auto x = b.input("x", DType::F32, {symbol_dim("N"), {4, ""}});
///   b.output(b.node("Add", {x, x}), "y");
///   write_onnx(b.build(), "double.onnx");
class Builder {
 public:
  using Attributes = std::map<std::string, Attribute>;

  explicit Builder(std::string name, std::int64_t opset = 17);

  ValueId input(std::string name, DType dtype, std::vector<Dim> shape);
  /// An initialiser. An empty name gets "const_<i>".
  ValueId constant(std::string name, Constant value);
  template <class T>
  ValueId constant(std::string name, std::vector<std::int64_t> shape,
                   const std::vector<T>& values) {
    return constant(std::move(name),
                    make_constant<T>(std::move(shape), std::span<const T>(values)));
  }

  /// A node with one output. An empty name gets "<op>_<i>"; the output is named "<name>_out".
  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {},
               std::string name = "");
  /// A node with `output_count` outputs.
  std::vector<ValueId> node_with_outputs(const std::string& op, std::vector<ValueId> inputs,
                                         std::size_t output_count, Attributes attributes = {},
                                         std::string name = "");

  /// Makes `value` an output called `name`. An input or a constant gets an Identity between.
  void output(ValueId value, std::string name);

  /// What is built so far (the zoo's weights depend on shapes).
  const Graph& graph() const { return graph_; }
  /// Infers shapes and hands the graph over. Throws Error{Invalid} as infer_shapes.
  Graph build();

 private:
  ValueId add_value(Value value);
  bool made_by_node(ValueId value) const;

  Graph graph_;
};

}  // namespace inferometer::graph
