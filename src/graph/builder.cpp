// SPDX-License-Identifier: Apache-2.0
#include "graph/builder.hpp"

#include <algorithm>

#include "graph/passes.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

std::vector<Dim> fixed_dims(std::span<const std::int64_t> sizes) {
  std::vector<Dim> dims;
  dims.reserve(sizes.size());
  for (const auto size : sizes) dims.push_back({size, ""});
  return dims;
}

Builder::Builder(std::string name, std::int64_t opset) {
  graph_.name = std::move(name);
  graph_.opset = opset;
}

ValueId Builder::add_value(Value value) {
  graph_.values.push_back(std::move(value));
  return static_cast<ValueId>(graph_.values.size() - 1);
}

ValueId Builder::input(std::string name, DType dtype, std::vector<Dim> shape) {
  const auto id = add_value({std::move(name), dtype, std::move(shape), std::nullopt});
  graph_.inputs.push_back(id);
  return id;
}

ValueId Builder::constant(std::string name, Constant value) {
  if (name.empty()) name = fmt::format("const_{}", graph_.values.size());
  const auto dtype = value.dtype;
  auto shape = fixed_dims(value.shape);
  return add_value({std::move(name), dtype, std::move(shape), std::move(value)});
}

ValueId Builder::node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes,
                      std::string name) {
  return node_with_outputs(op, std::move(inputs), 1, std::move(attributes), std::move(name))[0];
}

std::vector<ValueId> Builder::node_with_outputs(const std::string& op, std::vector<ValueId> inputs,
                                                std::size_t output_count, Attributes attributes,
                                                std::string name) {
  if (name.empty()) name = fmt::format("{}_{}", op, graph_.nodes.size());
  Node node{name, op, "", std::move(inputs), {}, std::move(attributes)};
  for (std::size_t i = 0; i < output_count; ++i) {
    node.outputs.push_back(
        add_value({i == 0 ? name + "_out" : fmt::format("{}_out{}", name, i), {}, {}, {}}));
  }
  graph_.nodes.push_back(node);
  return node.outputs;
}

bool Builder::made_by_node(ValueId value) const {
  return std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), value) != node.outputs.end();
  });
}

void Builder::output(ValueId value, std::string name) {
  const bool taken =
      std::find(graph_.outputs.begin(), graph_.outputs.end(), value) != graph_.outputs.end();
  if (taken || !made_by_node(value)) value = node("Identity", {value});
  graph_.value(value).name = std::move(name);
  graph_.outputs.push_back(value);
}

Graph Builder::build() {
  infer_shapes(graph_);
  return std::move(graph_);
}

}  // namespace inferometer::graph
