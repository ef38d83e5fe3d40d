// SPDX-License-Identifier: Apache-2.0
// The operator table: the one place that says which operators there are, what a node of each must
// look like, how shapes go through it and how it is computed on constants.
//
// To add an operator: a row in operators.cpp and its functions in the file of its family.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

/// One node while shapes are inferred. Absent inputs have neither shape nor dtype nor constant.
class Inference {
 public:
  Inference(Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Node& node() const { return node_; }
  std::int64_t opset() const { return graph_.opset; }
  std::size_t input_count() const { return node_.inputs.size(); }
  std::size_t output_count() const { return node_.outputs.size(); }
  bool has(std::size_t input) const { return value(input) != nullptr; }
  /// nullptr when unknown.
  const std::vector<Dim>* shape(std::size_t input) const;
  std::optional<DType> dtype(std::size_t input) const;
  const Constant* constant(std::size_t input) const;

  /// Merges what was found with what the file declares. Throws Error{Invalid} when they contradict.
  void set(std::size_t output, std::optional<DType> dtype, std::optional<std::vector<Dim>> shape);

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

  Graph& graph_;
  const Node& node_;
};

/// One node whose inputs are all constant. `outputs` have dtype and fixed shape from inference.
struct Folding {
  const Graph& graph;
  const Node& node;
  std::vector<const Constant*> inputs;  ///< nullptr = left out
  std::vector<const Value*> outputs;
};

enum class AttributeKind { Int, Float, Text, Ints, Floats, Tensor };

struct AttributeRule {
  std::string_view name;
  AttributeKind kind;
};

struct Operator {
  std::string_view name;
  std::size_t min_inputs, max_inputs, max_outputs;
  std::vector<AttributeRule> attributes;
  void (*infer)(Inference&);
  /// nullptr: never folded. Returns nullopt for a case that it leaves alone.
  std::optional<Constant> (*fold)(const Folding&) = nullptr;
};

inline constexpr std::size_t kManyInputs = static_cast<std::size_t>(-1);

/// nullptr when the table hasn't got it. Only the default domain has operators.
const Operator* find_operator(const Node& node);

/// Throws Error{Invalid} naming node and operator for a wrong number of inputs or outputs, an
/// attribute that the operator doesn't have, or one of the wrong type.
void check_node(const Operator& rule, const Node& node);

/// What two axes of a broadcast give; nullopt when they can't be broadcast.
std::optional<Dim> broadcast_dim(const Dim& a, const Dim& b);

// By family: infer_*.cpp and fold_*.cpp.
void infer_same(Inference& at);
void infer_binary(Inference& at);
void infer_dropout(Inference& at);
void infer_softmax(Inference& at);
void infer_batch_norm(Inference& at);
void infer_clip(Inference& at);
void infer_conv(Inference& at);
void infer_pool(Inference& at);
void infer_global_pool(Inference& at);
void infer_gemm(Inference& at);
void infer_matmul(Inference& at);
void infer_concat(Inference& at);
void infer_flatten(Inference& at);
void infer_reshape(Inference& at);
void infer_transpose(Inference& at);
void infer_cast(Inference& at);
void infer_shape_of(Inference& at);
void infer_gather(Inference& at);
void infer_unsqueeze(Inference& at);
void infer_squeeze(Inference& at);
void infer_reduce(Inference& at);

std::optional<Constant> fold_same_bytes(const Folding& at);
std::optional<Constant> fold_binary(const Folding& at);
std::optional<Constant> fold_cast(const Folding& at);
std::optional<Constant> fold_shape_of(const Folding& at);
std::optional<Constant> fold_concat(const Folding& at);
std::optional<Constant> fold_gather(const Folding& at);
std::optional<Constant> fold_transpose(const Folding& at);

}  // namespace inferometer::graph
