// SPDX-License-Identifier: Apache-2.0
// The operator table: the one place that says which operators there are, what a node of each must
// look like, how shapes go through it and how it is computed on constants.
//
// To add an operator: a row in operator_table.cpp and its functions in the file of its family.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/node_view.hpp"

namespace inferometer::graph {

/// One node while shapes are inferred.
class Inference : public NodeView {
 public:
  Inference(Graph& graph, const Node& node) : NodeView(graph, node), graph_(graph) {}

  /// Merges what was found with what the file declares. Throws Error{Invalid} when they contradict.
  void set(std::size_t output, std::optional<DType> dtype, std::optional<std::vector<Dim>> shape);
  /// What is known of the elements of a small integer output; ignored for another number of them
  /// than its shape has.
  void set_elements(std::size_t output, std::vector<Element> elements);

 private:
  Graph& graph_;
};

/// One node whose inputs are all constant. `outputs` have dtype and fixed shape from inference.
struct Folding {
  const Graph& graph;
  const Node& node;
  std::vector<const Constant*> inputs;  ///< nullptr = left out
  std::vector<const Value*> outputs;

  NodeView view() const { return {graph, node}; }
};

enum class AttributeKind { Int, Float, Text, Ints, Floats, Texts, Tensor, Body };

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
  /// nullptr: elements of shapes aren't followed through it. Called after `infer`.
  void (*follow)(Inference&) = nullptr;
  /// Inputs whose values, not only their shapes, say what the node does (axes, a wanted shape,
  /// ...): bit i for input i. An engine that plans ahead needs them constant.
  std::uint32_t value_inputs = 0;
  /// Every element of the output depends on the elements at its place of the inputs, broadcast, and
  /// on nothing else.
  bool elementwise = false;
};

inline constexpr std::size_t kManyInputs = static_cast<std::size_t>(-1);

/// All operators, by name. Only the default domain has any.
const std::vector<Operator>& operator_table();
/// nullptr when the table hasn't got it.
const Operator* find_operator(const Node& node);

/// Throws Error{Invalid} naming node and operator for a wrong number of inputs or outputs, an
/// attribute that the operator doesn't have, or one of the wrong type.
void check_node(const Operator& rule, const Node& node);

/// Checks the node and infers its outputs; nothing for an operator that isn't in the table.
void infer_node(Graph& graph, const Node& node);

/// What two axes of a broadcast give; nullopt when they can't be broadcast.
std::optional<Dim> broadcast_dim(const Dim& a, const Dim& b);

// By family: infer_*.cpp, follow.cpp and fold_*.cpp.
void infer_same(Inference& at);
void infer_broadcast(Inference& at);
void infer_compare(Inference& at);
void infer_logic(Inference& at);
void infer_is(Inference& at);
void infer_power(Inference& at);
void infer_where(Inference& at);
void infer_prelu(Inference& at);
void infer_dropout(Inference& at);
void infer_softmax(Inference& at);
void infer_clip(Inference& at);
void infer_cast(Inference& at);
void infer_cast_like(Inference& at);
void infer_trilu(Inference& at);
void infer_cum_sum(Inference& at);
void infer_batch_norm(Inference& at);
void infer_channel_norm(Inference& at);
void infer_group_norm(Inference& at);
void infer_layer_norm(Inference& at);
void infer_rms_norm(Inference& at);
void infer_lrn(Inference& at);
void infer_conv(Inference& at);
void infer_conv_transpose(Inference& at);
void infer_pool(Inference& at);
void infer_global_pool(Inference& at);
void infer_gemm(Inference& at);
void infer_matmul(Inference& at);
void infer_recurrent(Inference& at);
void infer_concat(Inference& at);
void infer_flatten(Inference& at);
void infer_reshape(Inference& at);
void infer_transpose(Inference& at);
void infer_shape_of(Inference& at);
void infer_size_of(Inference& at);
void infer_gather(Inference& at);
void infer_gather_elements(Inference& at);
void infer_gather_nd(Inference& at);
void infer_scatter_elements(Inference& at);
void infer_scatter_nd(Inference& at);
void infer_top_k(Inference& at);
void infer_one_hot(Inference& at);
void infer_non_zero(Inference& at);
void infer_unsqueeze(Inference& at);
void infer_squeeze(Inference& at);
void infer_reduce(Inference& at);
void infer_arg_reduce(Inference& at);
void infer_slice(Inference& at);
void infer_split(Inference& at);
void infer_pad(Inference& at);
void infer_expand(Inference& at);
void infer_tile(Inference& at);
void infer_range(Inference& at);
void infer_constant_of_shape(Inference& at);
void infer_depth_to_space(Inference& at);
void infer_space_to_depth(Inference& at);
void infer_resize(Inference& at);
void infer_declared(Inference& at);

void follow_same(Inference& at);
void follow_arithmetic(Inference& at);
void follow_where(Inference& at);
void follow_shape_of(Inference& at);
void follow_size_of(Inference& at);
void follow_gather(Inference& at);
void follow_concat(Inference& at);
void follow_slice(Inference& at);
void follow_split(Inference& at);
void follow_expand(Inference& at);
void follow_constant_of_shape(Inference& at);
void follow_range(Inference& at);
void follow_reduce_prod(Inference& at);

std::optional<Constant> fold_same_bytes(const Folding& at);
std::optional<Constant> fold_unary(const Folding& at);
std::optional<Constant> fold_binary(const Folding& at);
std::optional<Constant> fold_compare(const Folding& at);
std::optional<Constant> fold_where(const Folding& at);
std::optional<Constant> fold_cast(const Folding& at);
std::optional<Constant> fold_concat(const Folding& at);
std::optional<Constant> fold_gather(const Folding& at);
std::optional<Constant> fold_strided(const Folding& at);
std::optional<Constant> fold_range(const Folding& at);
std::optional<Constant> fold_constant_of_shape(const Folding& at);

}  // namespace inferometer::graph
