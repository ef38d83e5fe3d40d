// SPDX-License-Identifier: Apache-2.0
// For tests: one operator run on given tensors, without planning.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "kernel.hpp"

namespace inferometer::reference {

using Floats = std::vector<float>;
using Longs = std::vector<std::int64_t>;
using Attributes = std::map<std::string, graph::Attribute>;

template <class T>
Tensor tensor(Shape shape, const std::vector<T>& values) {
  Tensor made(dtype_of<T>(), shape);
  for (std::size_t i = 0; i < values.size(); ++i) made.as<T>()[i] = values[i];
  return made;
}

template <class T>
std::vector<T> values(const Tensor& from) {
  const auto span = from.as<T>();
  return {span.begin(), span.end()};
}

/// What a plan is made for, and what it runs on.
struct Fed {
  explicit Fed(const std::vector<Tensor>& inputs) {
    for (const auto& input : inputs) {
      shapes.push_back(input.shape());
      views.push_back(input.view());
    }
  }
  std::vector<Shape> shapes;
  std::vector<View> views;
};

/// A node, its inputs and the shape that its output has.
struct OneOp {
  std::string op;
  std::vector<Tensor> inputs;  ///< without data: left out
  DType dtype = DType::F32;
  Shape shape;
  Attributes attributes;
  std::int64_t opset = 17;

  Tensor run(std::size_t threads = 1, const Multiplier& multiplier = multipliers().back()) const {
    graph::Graph graph;
    graph.opset = opset;
    graph::Node node{.name = "node",
                     .op = op,
                     .domain = {},
                     .inputs = {},
                     .outputs = {},
                     .attributes = attributes};
    std::vector<View> views;
    for (const auto& input : inputs) {
      views.push_back(input.view());
      node.inputs.push_back(input.data() == nullptr ? graph::kNoValue
                                                    : add(graph, input.dtype(), input.shape()));
      if (input.data() == nullptr) continue;
      // Kernels that take sizes or axes from an input read them when they are prepared.
      auto& constant = graph.value(node.inputs.back()).constant.emplace();
      constant = {input.dtype(), {input.shape().begin(), input.shape().end()}, {}, input.owner()};
      constant.bytes = {static_cast<const std::byte*>(input.data()), input.view().size_bytes()};
    }
    node.outputs = {add(graph, dtype, shape)};
    const Tensor result(dtype, shape);
    std::memset(result.data(), 0xAB, result.view().size_bytes());
    const View out = result.view();
    Pool pool(threads);
    kernels().at(op)(Site(graph, node))(
        {.in = views, .out = {&out, 1}, .pool = pool, .multiplier = multiplier});
    return result;
  }

 private:
  static graph::ValueId add(graph::Graph& graph, DType dtype, const Shape& shape) {
    std::vector<Dim> dims;
    for (const auto size : shape.dims()) dims.push_back({.size = size, .symbol = {}});
    graph.values.push_back({.name = "v" + std::to_string(graph.values.size()),
                            .dtype = dtype,
                            .shape = dims,
                            .constant = {}});
    return static_cast<graph::ValueId>(graph.values.size() - 1);
  }
};

/// The output of an operator that gives T, on two threads.
template <class T>
std::vector<T> run_as(const std::string& op, const std::vector<Tensor>& inputs, Shape shape,
                      const Attributes& attributes = {}, std::int64_t opset = 17) {
  return values<T>(OneOp{.op = op,
                         .inputs = inputs,
                         .dtype = dtype_of<T>(),
                         .shape = shape,
                         .attributes = attributes,
                         .opset = opset}
                       .run(2));
}
inline Floats run(const std::string& op, const std::vector<Tensor>& inputs, Shape shape,
                  const Attributes& attributes = {}, std::int64_t opset = 17) {
  return run_as<float>(op, inputs, shape, attributes, opset);
}

}  // namespace inferometer::reference
