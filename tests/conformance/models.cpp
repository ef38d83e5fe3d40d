// SPDX-License-Identifier: Apache-2.0
// The models of the suite, made by graph's builder when a case first asks for them.
#include <fmt/format.h>

#include <map>
#include <mutex>

#include "graph/builder.hpp"
#include "graph/onnx.hpp"
#include "graph/zoo.hpp"
#include "suite.hpp"

namespace inferometer::conformance {
namespace {

using graph::Builder;
using graph::symbol_dim;

Dim fixed(std::int64_t size) {
  return {size, {}};
}

// [N,3] -> [N,6]: a node that no engine can drop, and that every dtype allows.
graph::Graph twice(DType dtype) {
  Builder b("twice");
  const auto x = b.input("x", dtype, {symbol_dim("N"), fixed(3)});
  b.output(b.node("Concat", {x, x}, {{"axis", std::int64_t{1}}}), "y");
  return b.build();
}

graph::Graph scalar() {
  Builder b("scalar");
  const auto x = b.input("x", DType::F32, {});
  b.output(b.node("Add", {x, b.constant("half", {}, std::vector<float>{0.5F})}), "y");
  return b.build();
}

// Its rows become columns: there is no batch axis.
graph::Graph no_batch() {
  Builder b("no_batch");
  const auto x = b.input("x", DType::F32, {fixed(2), fixed(3)});
  b.output(b.node("Transpose", {x}, {{"perm", std::vector<std::int64_t>{1, 0}}}), "y");
  return b.build();
}

// One value is input and output.
graph::Graph passed_on() {
  Builder b("passed_on");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), fixed(3)});
  b.output(b.node("Relu", {x}), "y");
  graph::Graph graph = b.build();
  graph.outputs.push_back(x);
  return graph;
}

graph::Graph sequence() {
  Builder b("sequence");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), symbol_dim("seq")});
  b.output(b.node("Relu", {x}), "y");
  return b.build();
}

// A file tells the type of its outputs even when the operator before them is unknown.
graph::Graph unknown_operator() {
  Builder b("unknown_operator");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), fixed(3)});
  b.output(b.node("NoSuchOperator", {x}, {}, "the_culprit"), "y");
  graph::Graph graph = b.build();
  auto& y = graph.value(graph.outputs.front());
  y.dtype = DType::F32;
  y.shape = std::vector<Dim>{symbol_dim("N"), fixed(3)};
  return graph;
}

graph::Graph make(const std::string& name) {
  if (name == "scalar") return scalar();
  if (name == "no_batch") return no_batch();
  if (name == "passed_on") return passed_on();
  if (name == "sequence") return sequence();
  if (name == "unknown_operator") return unknown_operator();
  if (name.starts_with("twice_")) return twice(parse_dtype(name.substr(6)));
  if (name == "tiny_cnn_4") return graph::zoo("tiny_cnn", {.batch = 4});
  return graph::zoo(name);
}

}  // namespace

std::filesystem::path Bench::model(const std::string& name) const {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const auto path = folder_ / (name + ".onnx");
  if (!std::filesystem::exists(path)) {
    const auto temporary = folder_ / (name + ".part");
    graph::write_onnx(make(name), temporary);
    std::filesystem::rename(temporary, path);
  }
  return path;
}

}  // namespace inferometer::conformance
