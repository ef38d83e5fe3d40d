// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "base/text.hpp"
#include "graph/operators.hpp"
#include "graph/passes.hpp"

namespace inferometer::graph {

namespace {

std::set<std::string> input_symbols(const Graph& graph) {
  std::set<std::string> symbols;
  for (const auto id : graph.inputs) {
    if (!graph.value(id).shape) continue;
    for (const auto& dim : *graph.value(id).shape) {
      if (!dim.symbol.empty()) symbols.insert(dim.symbol);
    }
  }
  return symbols;
}

void check_dim(const std::set<std::string>& symbols, const std::string& symbol, std::int64_t size) {
  if (size < 1) throw_invalid("dim.{} is {}: a size of 1 or more is needed", symbol, size);
  if (symbols.count(symbol) != 0) return;
  const std::vector<std::string> names(symbols.begin(), symbols.end());
  const auto near = nearest(symbol, names);
  throw Error(
      Status::Invalid,
      fmt::format("dim.{}: the model's inputs have no dimension of that name; they have: {}",
                  printable(symbol), names.empty() ? "none" : join(names)),
      {{"param", "dim." + symbol}, {"nearest", near.empty() ? "" : "dim." + near}});
}

}  // namespace

void bind_dims(Graph& graph, const std::map<std::string, std::int64_t>& dims) {
  const auto symbols = input_symbols(graph);
  for (const auto& [symbol, size] : dims) check_dim(symbols, symbol, size);
  for (auto& value : graph.values) {
    if (!value.shape) continue;
    for (auto& dim : *value.shape) {
      const auto bound = dim.symbol.empty() ? dims.end() : dims.find(dim.symbol);
      if (bound != dims.end()) dim = {bound->second, ""};
    }
  }
}

void infer_shapes(Graph& graph) {
  for (const auto& node : graph.nodes) infer_node(graph, node);
}

std::vector<Unknown> unknown_operators(const Graph& graph) {
  std::vector<Unknown> unknown;
  for (const auto& node : graph.nodes) {
    if (find_operator(node) != nullptr) continue;
    unknown.push_back({node.name, node.op,
                       node.domain.empty()
                           ? "the operator isn't supported"
                           : "operators of domain " + node.domain + " aren't supported"});
  }
  return unknown;
}

}  // namespace inferometer::graph
