// SPDX-License-Identifier: Apache-2.0
#include "graph/operators.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/text.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

using enum AttributeKind;

AttributeKind kind_wanted(const Operator& rule, const Node& node, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& attribute : rule.attributes) {
    if (attribute.name == name) return attribute.kind;
    names.emplace_back(attribute.name);
  }
  throw_invalid("node {} ({}): the operator has no attribute {}; it has: {}", printable(node.name),
                node.op, printable(name), names.empty() ? "none" : join(names));
}

bool is_kind(const Attribute& value, AttributeKind kind) {
  switch (kind) {
    case Int:
      return std::holds_alternative<std::int64_t>(value);
    case Float:
      return std::holds_alternative<float>(value);
    case Text:
      return std::holds_alternative<std::string>(value);
    case Ints:
      return std::holds_alternative<std::vector<std::int64_t>>(value);
    case Floats:
      return std::holds_alternative<std::vector<float>>(value);
    case Texts:
      return std::holds_alternative<std::vector<std::string>>(value);
    case Tensor:
      return std::holds_alternative<Constant>(value);
    case Body:
      return std::holds_alternative<std::shared_ptr<Graph>>(value);
  }
  return false;
}

std::string_view kind_text(AttributeKind kind) {
  switch (kind) {
    case Int:
      return "an integer";
    case Float:
      return "a number";
    case Text:
      return "a string";
    case Ints:
      return "a list of integers";
    case Floats:
      return "a list of numbers";
    case Texts:
      return "a list of strings";
    case Tensor:
      return "a tensor";
    case Body:
      return "a graph";
  }
  return "";
}

void check_count(const Node& node, const char* what, std::size_t given, std::size_t least,
                 std::size_t most) {
  if (given >= least && given <= most) return;
  throw_invalid("node {} ({}): {} {}, expected {}", printable(node.name), node.op, given, what,
                most == kManyInputs ? fmt::format("{} or more", least)
                : least == most     ? fmt::format("{}", least)
                                    : fmt::format("{} to {}", least, most));
}

}  // namespace

const Operator* find_operator(const Node& node) {
  static const auto index = [] {
    std::unordered_map<std::string_view, const Operator*> map;
    for (const auto& row : operator_table()) map.emplace(row.name, &row);
    return map;
  }();
  if (!node.domain.empty()) return nullptr;
  const auto found = index.find(node.op);
  return found == index.end() ? nullptr : found->second;
}

void check_node(const Operator& rule, const Node& node) {
  check_count(node, "inputs", node.inputs.size(), rule.min_inputs, rule.max_inputs);
  check_count(node, "outputs", node.outputs.size(), 1, rule.max_outputs);
  for (std::size_t i = 0; i < rule.min_inputs; ++i) {
    if (node.inputs[i] != kNoValue) continue;
    throw_invalid("node {} ({}): input {} must not be left out", printable(node.name), node.op, i);
  }
  for (const auto& [name, value] : node.attributes) {
    const auto kind = kind_wanted(rule, node, name);
    // An empty list is written without its type by some exporters.
    if (is_kind(value, kind)) continue;
    throw_invalid("node {} ({}): attribute {} must be {}", printable(node.name), node.op, name,
                  kind_text(kind));
  }
}

void Inference::set(std::size_t output, std::optional<DType> dtype,
                    std::optional<std::vector<Dim>> shape) {
  if (output >= output_count() || node().outputs[output] == kNoValue) return;
  auto& result = graph_.value(node().outputs[output]);
  if (dtype && result.dtype && *dtype != *result.dtype) {
    fail("output {} is declared {} but is {}", printable(result.name), to_string(*result.dtype),
         to_string(*dtype));
  }
  if (dtype) result.dtype = dtype;
  if (!shape) return;
  if (!result.shape) {
    result.shape = std::move(shape);
    return;
  }
  const auto declared = std::exchange(result.shape, std::move(shape));
  auto& merged = *result.shape;
  bool fits = declared->size() == merged.size();
  for (std::size_t i = 0; fits && i < merged.size(); ++i) {
    const auto& old = (*declared)[i];
    fits = merged[i].size < 0 || old.size < 0 || merged[i].size == old.size;
    if (merged[i].size < 0 && merged[i].symbol.empty()) merged[i] = old;
  }
  if (!fits) {
    fail("output {} is declared {} but is {}", printable(result.name), shape_text(*declared),
         shape_text(merged));
  }
}

void Inference::set_elements(std::size_t output, std::vector<Element> elements) {
  const auto* dims = output_shape(output);
  if (dims == nullptr) return;
  std::vector<std::int64_t> sizes;
  for (const auto& dim : *dims) sizes.push_back(dim.size);
  const auto count = checked_product(sizes);
  if (!count || *count != static_cast<std::int64_t>(elements.size())) return;
  if (*count <= kMaxElements) graph_.value(node().outputs[output]).elements = std::move(elements);
}

void infer_node(Graph& graph, const Node& node) {
  const auto* rule = find_operator(node);
  if (rule == nullptr) return;
  check_node(*rule, node);
  for (const auto id : node.outputs) {
    if (id != kNoValue) graph.value(id).elements.reset();
  }
  Inference at(graph, node);
  rule->infer(at);
  if (rule->follow != nullptr) rule->follow(at);
}

std::optional<Dim> broadcast_dim(const Dim& a, const Dim& b) {
  if (a.size == 1) return b;
  if (b.size == 1) return a;
  if (a.size >= 0 && b.size >= 0) return a.size == b.size ? std::optional(a) : std::nullopt;
  if (a.size >= 0) return a;
  if (b.size >= 0) return b;
  return a.symbol == b.symbol ? a : Dim{};
}

}  // namespace inferometer::graph
