// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>

#include "graph/passes.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

/// Can't occur in a file that was written by anyone else: a space leads.
const char* const kProbe = " batch";

Port port_of(const Value& value) {
  if (!value.dtype) throw_unsupported("{}: its dtype is not known", value.name);
  if (!value.shape) throw_unsupported("{}: its rank is not known", value.name);
  return {value.name, *value.dtype, *value.shape, std::nullopt};
}

bool leads_with(const Value& value, const std::string& symbol) {
  return value.shape && !value.shape->empty() && (*value.shape)[0].size < 0 &&
         (*value.shape)[0].symbol == symbol;
}

bool repeats(const Value& value, const std::string& symbol) {
  return std::any_of(value.shape->begin() + 1, value.shape->end(),
                     [&](const Dim& dim) { return dim.symbol == symbol; });
}

/// "" when `symbol` leads every port, else the sentence that says where it doesn't.
std::string missing_from(const Graph& graph, const std::string& symbol) {
  for (const auto* ids : {&graph.inputs, &graph.outputs}) {
    for (const auto id : *ids) {
      const auto& value = graph.value(id);
      if (!leads_with(value, symbol)) return fmt::format("{} does not lead with it", value.name);
      if (repeats(value, symbol)) return fmt::format("{} has it on two axes", value.name);
    }
  }
  return "";
}

/// The graph with its inputs' leading sizes replaced by a symbol, shapes inferred anew.
std::optional<Graph> probed(const Graph& graph) {
  Graph probe = graph;
  const std::unordered_set<ValueId> inputs(graph.inputs.begin(), graph.inputs.end());
  for (std::size_t i = 0; i < probe.values.size(); ++i) {
    auto& value = probe.values[i];
    if (inputs.count(static_cast<ValueId>(i)) != 0) {
      (*value.shape)[0] = {-1, kProbe};
    } else if (!value.constant) {
      value.shape.reset();
    }
  }
  try {
    infer_shapes(probe);
  } catch (const Error&) {
    return std::nullopt;  // some node needs just this size
  }
  return probe;
}

void find_fixed(const Graph& graph, Signature& signature) {
  const auto size = signature.inputs[0].shape[0].size;
  if (size == 0) {
    signature.batch_axis_reason =
        fmt::format("none: the leading axis of {} is empty", signature.inputs[0].name);
    return;
  }
  for (const auto& port : signature.inputs) {
    if (port.shape[0].size == size) continue;
    signature.batch_axis_reason =
        fmt::format("none: the inputs' leading sizes differ ({} and {})", size, port.shape[0].size);
    return;
  }
  const auto probe = probed(graph);
  const auto missing = probe ? missing_from(*probe, kProbe) : "a node needs the fixed size";
  if (!missing.empty()) {
    signature.batch_axis_reason =
        fmt::format("none: the leading size {} doesn't carry through ({})", size, missing);
    return;
  }
  signature.batch_size = size;
  signature.batch_axis_reason = fmt::format(
      "shape inference carries the leading size {} from every input to every output", size);
}

void find_batch(const Graph& graph, Signature& signature) {
  if (signature.inputs.empty()) {
    signature.batch_axis_reason = "none: the model has no inputs";
    return;
  }
  for (const auto& port : signature.inputs) {
    if (!port.shape.empty()) continue;
    signature.batch_axis_reason = fmt::format("none: input {} is a scalar", port.name);
    return;
  }
  const auto& lead = signature.inputs[0].shape[0];
  if (lead.size >= 0) return find_fixed(graph, signature);
  if (lead.symbol.empty()) {
    signature.batch_axis_reason =
        fmt::format("none: the leading size of {} has no name", signature.inputs[0].name);
    return;
  }
  const auto missing = missing_from(graph, lead.symbol);
  if (!missing.empty()) {
    signature.batch_axis_reason =
        fmt::format("none: symbol {} leads the first input, but {}", lead.symbol, missing);
    return;
  }
  signature.batch_symbol = lead.symbol;
  signature.batch_axis_reason =
      fmt::format("every input and output leads with symbol {}", lead.symbol);
}

}  // namespace

Signature signature_of(const Graph& graph) {
  Graph inferred = graph;
  infer_shapes(inferred);
  Signature signature;
  for (const auto id : inferred.inputs) signature.inputs.push_back(port_of(inferred.value(id)));
  for (const auto id : inferred.outputs) signature.outputs.push_back(port_of(inferred.value(id)));
  find_batch(inferred, signature);
  if (signature.batch_symbol.empty() && signature.batch_size < 0) return signature;
  for (auto& port : signature.inputs) port.batch_axis = 0;
  for (auto& port : signature.outputs) port.batch_axis = 0;
  return signature;
}

}  // namespace inferometer::graph
