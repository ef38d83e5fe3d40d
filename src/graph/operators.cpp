// SPDX-License-Identifier: Apache-2.0
#include "graph/operators.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/text.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

using enum AttributeKind;

const std::vector<Operator>& table() {
  static const std::vector<Operator> rows = {
      {"Add", 2, 2, 1, {}, infer_binary, fold_binary},
      {"AveragePool",
       1,
       1,
       1,
       {{"auto_pad", Text},
        {"ceil_mode", Int},
        {"count_include_pad", Int},
        {"dilations", Ints},
        {"kernel_shape", Ints},
        {"pads", Ints},
        {"strides", Ints}},
       infer_pool},
      {"BatchNormalization",
       5,
       5,
       5,
       {{"epsilon", Float}, {"momentum", Float}, {"spatial", Int}, {"training_mode", Int}},
       infer_batch_norm},
      {"Cast",
       1,
       1,
       1,
       {{"to", Int}, {"saturate", Int}, {"round_mode", Text}},
       infer_cast,
       fold_cast},
      {"Clip", 1, 3, 1, {{"min", Float}, {"max", Float}}, infer_clip},
      {"Concat", 1, kManyInputs, 1, {{"axis", Int}}, infer_concat, fold_concat},
      {"Conv",
       2,
       3,
       1,
       {{"auto_pad", Text},
        {"dilations", Ints},
        {"group", Int},
        {"kernel_shape", Ints},
        {"pads", Ints},
        {"strides", Ints}},
       infer_conv},
      {"Div", 2, 2, 1, {}, infer_binary, fold_binary},
      {"Dropout", 1, 3, 2, {{"ratio", Float}, {"seed", Int}}, infer_dropout},
      {"Flatten", 1, 1, 1, {{"axis", Int}}, infer_flatten, fold_same_bytes},
      {"Gather", 2, 2, 1, {{"axis", Int}}, infer_gather, fold_gather},
      {"Gemm",
       2,
       3,
       1,
       {{"alpha", Float}, {"beta", Float}, {"transA", Int}, {"transB", Int}, {"broadcast", Int}},
       infer_gemm},
      {"GlobalAveragePool", 1, 1, 1, {}, infer_global_pool},
      {"GlobalMaxPool", 1, 1, 1, {}, infer_global_pool},
      {"Identity", 1, 1, 1, {}, infer_same, fold_same_bytes},
      {"MatMul", 2, 2, 1, {}, infer_matmul},
      {"MaxPool",
       1,
       1,
       2,
       {{"auto_pad", Text},
        {"ceil_mode", Int},
        {"dilations", Ints},
        {"kernel_shape", Ints},
        {"pads", Ints},
        {"storage_order", Int},
        {"strides", Ints}},
       infer_pool},
      {"Mul", 2, 2, 1, {}, infer_binary, fold_binary},
      {"ReduceMean",
       1,
       2,
       1,
       {{"axes", Ints}, {"keepdims", Int}, {"noop_with_empty_axes", Int}},
       infer_reduce},
      {"Relu", 1, 1, 1, {}, infer_same},
      {"Reshape", 2, 2, 1, {{"allowzero", Int}}, infer_reshape, fold_same_bytes},
      {"Shape", 1, 1, 1, {{"start", Int}, {"end", Int}}, infer_shape_of, fold_shape_of},
      {"Sigmoid", 1, 1, 1, {}, infer_same},
      {"Softmax", 1, 1, 1, {{"axis", Int}}, infer_softmax},
      {"Squeeze", 1, 2, 1, {{"axes", Ints}}, infer_squeeze, fold_same_bytes},
      {"Sub", 2, 2, 1, {}, infer_binary, fold_binary},
      {"Transpose", 1, 1, 1, {{"perm", Ints}}, infer_transpose, fold_transpose},
      {"Unsqueeze", 1, 2, 1, {{"axes", Ints}}, infer_unsqueeze, fold_same_bytes},
  };
  return rows;
}

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
    case Tensor:
      return std::holds_alternative<Constant>(value);
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
    case Tensor:
      return "a tensor";
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
    for (const auto& row : table()) map.emplace(row.name, &row);
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

const Value* Inference::value(std::size_t input) const {
  if (input >= node_.inputs.size() || node_.inputs[input] == kNoValue) return nullptr;
  return &graph_.value(node_.inputs[input]);
}

const std::vector<Dim>* Inference::shape(std::size_t input) const {
  const auto* found = value(input);
  return found != nullptr && found->shape ? &*found->shape : nullptr;
}

std::optional<DType> Inference::dtype(std::size_t input) const {
  const auto* found = value(input);
  return found != nullptr ? found->dtype : std::nullopt;
}

const Constant* Inference::constant(std::size_t input) const {
  const auto* found = value(input);
  return found != nullptr && found->constant ? &*found->constant : nullptr;
}

std::string Inference::label() const {
  return fmt::format("node {} ({})", printable(node_.name), printable(node_.op));
}

std::size_t Inference::axis(std::int64_t axis, std::size_t rank) const {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) fail("axis {} is outside of rank {}", axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

std::optional<DType> Inference::common_dtype(std::size_t first) const {
  std::optional<DType> common;
  for (std::size_t i = first; i < input_count(); ++i) {
    const auto given = dtype(i);
    if (!given) continue;
    if (common && *common != *given) {
      fail("inputs of different dtypes, {} and {}", to_string(*common), to_string(*given));
    }
    common = given;
  }
  return common;
}

void Inference::set(std::size_t output, std::optional<DType> dtype,
                    std::optional<std::vector<Dim>> shape) {
  if (output >= node_.outputs.size() || node_.outputs[output] == kNoValue) return;
  auto& result = graph_.value(node_.outputs[output]);
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

std::optional<Dim> broadcast_dim(const Dim& a, const Dim& b) {
  if (a.size == 1) return b;
  if (b.size == 1) return a;
  if (a.size >= 0 && b.size >= 0) return a.size == b.size ? std::optional(a) : std::nullopt;
  if (a.size >= 0) return a;
  if (b.size >= 0) return b;
  return a.symbol == b.symbol ? a : Dim{};
}

}  // namespace inferometer::graph
