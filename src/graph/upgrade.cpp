// SPDX-License-Identifier: Apache-2.0
#include "graph/upgrade.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "graph/builder.hpp"
#include "graph/operators.hpp"
#include "graph/text.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t kOpset = 7;

/// Until opset 7 their second input was broadcast to the first one only, along `axis`.
bool broadcasts_one_sided(const Node& node) {
  static const std::set<std::string> ops = {"Add", "And", "Div", "Equal", "Greater", "Less",
                                            "Mul", "Or",  "Pow", "Sub",   "Xor",     "PRelu"};
  return ops.contains(node.op);
}

/// ONNX's names of element types, which Cast took until opset 6 -> their numbers.
std::int64_t element_type(const Node& node, const std::string& name) {
  static const std::map<std::string, std::int64_t> types = {
      {"FLOAT", 1}, {"UINT8", 2}, {"INT8", 3},     {"UINT16", 4},  {"INT16", 5},   {"INT32", 6},
      {"INT64", 7}, {"BOOL", 9},  {"FLOAT16", 10}, {"DOUBLE", 11}, {"UINT32", 12}, {"UINT64", 13}};
  const auto found = types.find(name);
  if (found == types.end())
    throw_unsupported("node {} (Cast): to '{}'", printable(node.name), printable(name));
  return found->second;
}

class Upgrade {
 public:
  explicit Upgrade(Graph& graph) : graph_(graph), from_(graph.opset) {}

  void run() {
    graph_.opset = kOpset;
    auto nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (auto& node : nodes) {
      if (node.domain.empty()) upgrade(node);
      infer_node(graph_, node);
      graph_.nodes.push_back(std::move(node));
    }
  }

 private:
  void upgrade(Node& node) {
    refuse_bodies(node);
    node.attributes.erase("consumed_inputs");
    node.attributes.erase("output_sequence");  // of LSTM, GRU and RNN: the output is always given
    if (broadcasts_one_sided(node)) align_second_input(node);
    if (node.op == "Gemm") node.attributes.erase("broadcast");
    if (node.op == "BatchNormalization" || node.op == "Dropout") require_inference(node);
    if (node.op == "Concat" && from_ < 4) node.attributes.try_emplace("axis", std::int64_t{1});
    if (node.op == "Cast" && from_ < 6) {
      const auto to = string_attribute(node, "to", "");
      node.attributes["to"] = element_type(node, to);
    }
    if (node.op == "Selu" && from_ < 6) {  // its constants had fewer digits
      node.attributes.try_emplace("alpha", 1.6732F);
      node.attributes.try_emplace("gamma", 1.0507F);
    }
    if (node.op == "Pad" && from_ < 2) rename_attribute(node, "paddings", "pads");
    if (node.op == "Reshape" && from_ < 5) shape_becomes_input(node);
    // Each had other inputs then, and no exporter of that time wrote them.
    if ((node.op == "Tile" && from_ < 6) || node.op == "Upsample") refuse(node, "has another form");
  }

  [[noreturn]] void refuse(const Node& node, std::string_view why) const {
    throw_unsupported("node {} ({}) of opset {} {}; convert the model", printable(node.name),
                      node.op, from_, why);
  }

  void refuse_bodies(const Node& node) const {
    for (const auto& [name, attribute] : node.attributes)
      if (std::holds_alternative<std::shared_ptr<Graph>>(attribute)) refuse(node, "has a body");
  }

  /// A BatchNormalization without is_test=1 computed the statistics of its input. Dropout is taken
  /// for inference, as everywhere.
  void require_inference(Node& node) const {
    if (node.op == "BatchNormalization" && int_attribute(node, "is_test", 0) == 0)
      refuse(node, "trains (is_test=0)");
    node.attributes.erase("is_test");
  }

  static void rename_attribute(Node& node, const std::string& from, const std::string& to) {
    auto held = node.attributes.extract(from);
    if (held.empty()) return;
    held.key() = to;
    node.attributes.insert(std::move(held));
  }

  /// Names are what bodies capture by and files tell values by: no two are equal.
  ValueId add_value(std::string name) {
    if (names_.empty()) names_ = index_values(graph_);
    while (names_.contains(name)) name += '\'';
    names_.emplace(name, static_cast<ValueId>(graph_.values.size()));
    graph_.values.push_back({std::move(name), {}, {}, {}, {}});
    return static_cast<ValueId>(graph_.values.size() - 1);
  }

  void shape_becomes_input(Node& node) {
    const auto shape = ints_attribute(node, "shape", {});
    node.attributes.erase("shape");
    const Ints sizes = {static_cast<std::int64_t>(shape.size())};
    const auto id = add_value(node.name + "/shape");
    auto& value = graph_.value(id);
    value.dtype = DType::I64;
    value.shape = fixed_dims(sizes);
    value.constant = make_constant<std::int64_t>(sizes, shape);
    node.inputs.resize(2, kNoValue);
    node.inputs[1] = id;
  }

  /// Axis 0 of the second input lies along `axis` of the first; the usual broadcast has the last
  /// axes meet, so that ones have to follow.
  void align_second_input(Node& node) {
    const bool slope = node.op == "PRelu";
    const bool broadcasts =
        node.attributes.contains("axis") && int_attribute(node, "broadcast", 0) != 0;
    const auto given = slope ? std::int64_t{1} : int_attribute(node, "axis", 0);
    node.attributes.erase("axis");
    node.attributes.erase("broadcast");
    if (node.inputs.size() != 2 || !(slope || broadcasts)) return;
    // A left-out input is refused with the other rules of the operator.
    if (node.inputs[0] == kNoValue || node.inputs[1] == kNoValue) return;
    const auto& second = graph_.value(node.inputs[1]).shape;
    // One number fits anywhere.
    if (second && std::ranges::all_of(*second, [](const Dim& dim) { return dim.size == 1; }))
      return;
    const auto& first = graph_.value(node.inputs[0]).shape;
    if (!first || !second) refuse(node, "broadcasts along an axis of unknown rank");
    const auto rank = static_cast<std::int64_t>(first->size());
    const auto covered = static_cast<std::int64_t>(second->size());
    const auto axis = static_cast<std::int64_t>(NodeView(graph_, node).axis(given, first->size()));
    if (axis + covered > rank) {
      throw_invalid("node {} ({}): {} axes from axis {} on don't fit into rank {}",
                    printable(node.name), node.op, covered, axis, rank);
    }
    if (axis + covered < rank) unsqueeze_second_input(node, covered, rank - axis - covered);
  }

  void unsqueeze_second_input(Node& node, std::int64_t covered, std::int64_t missing) {
    Ints axes;
    for (std::int64_t i = 0; i < missing; ++i) axes.push_back(covered + i);
    const auto id = add_value(node.name + "/aligned");
    const Node unsqueeze{node.name + "/align", "Unsqueeze", "",
                         {node.inputs[1]},     {id},        {{"axes", axes}}};
    infer_node(graph_, unsqueeze);
    graph_.nodes.push_back(unsqueeze);
    node.inputs[1] = id;
  }

  Graph& graph_;
  const std::int64_t from_;
  ValueIndex names_;
};

}  // namespace

void upgrade_to_opset_7(Graph& graph) {
  if (graph.opset >= 1 && graph.opset < kOpset) Upgrade(graph).run();
}

}  // namespace inferometer::graph
