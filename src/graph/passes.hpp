// SPDX-License-Identifier: Apache-2.0
// What is learned about a graph, and how it is simplified.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "inferometer/model.hpp"  // Port

namespace inferometer::graph {

/// Fixes symbolic dimensions of the inputs ("N" -> 8). Throws Error{Invalid} naming the nearest
/// symbol for one that isn't there.
void bind_dims(Graph& graph, const std::map<std::string, std::int64_t>& dims);

/// Fills dtype and shape of every value as far as they can be known; symbols are carried through.
/// Throws Error{Invalid} naming node and operator when shapes contradict each other or an attribute
/// is out of its domain. An operator that isn't in the table leaves its outputs unknown.
void infer_shapes(Graph& graph);

/// Replaces nodes whose inputs are all constant by constants, while no result exceeds
/// `limit_bytes`.
void fold_constants(Graph& graph, std::size_t limit_bytes = 64u << 20);

/// Folds BatchNormalization into a preceding Conv or Gemm that nothing else reads; computed in
/// double.
void fold_batch_norm(Graph& graph);

/// Removes Identity and (inference) Dropout nodes, then nodes and constants that no output needs.
void remove_dead(Graph& graph);

/// Operators of the graph that aren't in our table: {node, op, reason}. Empty = everything is
/// known.
struct Unknown {
  std::string node, op, reason;
};
std::vector<Unknown> unknown_operators(const Graph& graph);

/// Multiply-accumulates of Conv, ConvTranspose, Gemm and MatMul for concrete shapes (infer_shapes
/// first); values with a symbolic axis count as `symbol_value` for it. Throws Error{Invalid} naming
/// a node whose shapes aren't known, and on overflow.
std::int64_t count_macs(const Graph& graph, std::int64_t symbol_value = 1);

/// The most bytes that inputs, outputs and the values between nodes need at once, when nodes run in
/// the graph's order, one at a time, and nothing is computed in place. Constants, what follows from
/// them alone, and what subgraphs hold are not counted. Axes and errors as for count_macs.
std::int64_t peak_activation_bytes(const Graph& graph, std::int64_t symbol_value = 1);

/// Elements of learned constants: all floating initialisers except the mean and variance of
/// BatchNormalization; every branch of an If counts.
std::int64_t count_parameters(const Graph& graph);

/// The model's ports with symbols, and its batch axis with how it was found. Rule: every input and
/// output has the same leading symbol, or (fixed files) shape inference with the leading dimension
/// of all inputs replaced by a symbol carries it to every output.
struct Signature {
  std::vector<Port> inputs, outputs;
  std::string batch_symbol;      ///< "" when fixed or none
  std::int64_t batch_size = -1;  ///< of a fixed file; -1 = dynamic or no batch axis
  std::string batch_axis_reason;
};
Signature signature_of(const Graph& graph);

}  // namespace inferometer::graph
