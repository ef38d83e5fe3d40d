// SPDX-License-Identifier: Apache-2.0
// The typed, in-memory form of an ONNX model. Plain data; behaviour is free functions in the
// neighbouring headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "inferometer/model.hpp"  // Dim
#include "inferometer/tensor.hpp"

namespace inferometer::graph {

/// Read-only tensor data: often a window of a mapped file, then not necessarily aligned for its
/// dtype (read it with memcpy or through `elements`). `owner` keeps the memory alive.
struct Constant {
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  std::int64_t elements() const;
};

/// A constant that owns a copy of `values`.
template <class T>
Constant make_constant(std::vector<std::int64_t> shape, std::span<const T> values);
/// All elements converted: floating (f16 and bf16 too) and integer dtypes to double or int64.
/// Throws Error{Invalid} when more than `limit` elements.
std::vector<double> as_reals(const Constant& constant, std::int64_t limit = 1 << 26);
std::vector<std::int64_t> as_integers(const Constant& constant, std::int64_t limit = 1 << 26);

struct Graph;
using Attribute =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                 std::vector<std::string>, Constant, std::shared_ptr<Graph>>;

/// Index into Graph::values; kNoValue = an optional input or output that is left out.
using ValueId = std::int32_t;
inline constexpr ValueId kNoValue = -1;

/// One element of an integer tensor whose values follow from shapes (Shape, Gather, Concat, ...): a
/// number, the size of a symbolic axis, or neither while nothing is known.
struct Element {
  std::optional<std::int64_t> number;
  std::string symbol;
};
/// Elements are followed through tensors of at most so many: shapes, not data.
inline constexpr std::int64_t kMaxElements = 64;

/// What flows along an edge. `shape` is unknown (nullopt), or has an entry per axis: a size, a
/// symbol, or neither (size -1, no symbol).
struct Value {
  std::string name;
  std::optional<DType> dtype;
  std::optional<std::vector<Dim>> shape;
  std::optional<Constant> constant;  ///< an initialiser or a folded value
  /// Found by infer_shapes, for small integer tensors that are not constant.
  std::optional<std::vector<Element>> elements;
};

struct Node {
  std::string name;  ///< never empty: "Conv_12" when the file gives none
  std::string op;
  std::string domain;  ///< "" = the default domain
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<std::string, Attribute> attributes;
  bool started = false;  ///< a Loop with iterations behind it (expand.hpp); never in a file
};

/// Nodes are in topological order. Every value is produced by at most one of: an input, a constant,
/// a node.
struct Graph {
  std::string name;
  std::int64_t opset = 17;      ///< of the default domain, 7 or newer; 0: none is used
  std::int64_t file_opset = 0;  ///< what the file says: nodes below opset 7 are read as of 7
  std::map<std::string, std::int64_t> domains;  ///< opsets of the others
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;  ///< without those that are also initialisers
  std::vector<ValueId> outputs;
  std::vector<ValueId> captured;  ///< of a subgraph: values of that name in the graph around it
  std::vector<std::filesystem::path>
      external_files;  ///< canonical, each once: where constants outside the file came from

  const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<std::size_t>(id)]; }
};

/// Attribute access with a default. Throws Error{Invalid} naming node and attribute when it has
/// another type.
std::int64_t int_attribute(const Node& node, const std::string& name, std::int64_t fallback);
float float_attribute(const Node& node, const std::string& name, float fallback);
std::string string_attribute(const Node& node, const std::string& name,
                             const std::string& fallback);
std::vector<std::int64_t> ints_attribute(const Node& node, const std::string& name,
                                         const std::vector<std::int64_t>& fallback);

}  // namespace inferometer::graph
