// SPDX-License-Identifier: Apache-2.0
#include "graph/layout_plan.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "graph/operators.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {
namespace {

using Ints = std::vector<std::int64_t>;

/// What a node says about layouts.
enum class Kind : std::uint8_t { Fixed, Windowed, Follows, ToLast, ToFirst };

bool is_image(const Value& value) {
  return value.shape && value.shape->size() >= 3;
}

std::size_t rank_of(const Value& value) {
  return value.shape ? value.shape->size() : 0;
}

/// Every axis but the first and axis 1, or axis 1 itself, has one element: both layouts are the
/// same bytes.
bool same_in_both(const Value& value) {
  const auto& shape = *value.shape;
  const bool points =
      std::all_of(shape.begin() + 2, shape.end(), [](const Dim& d) { return d.size == 1; });
  return points || shape[1].size == 1;
}

Ints permutation(const Node& node, std::size_t rank) {
  Ints reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return ints_attribute(node, "perm", reversed);
}

Kind transpose_kind(const Graph& graph, const Node& node) {
  const auto& value = graph.value(node.inputs[0]);
  if (!is_image(value)) return Kind::Fixed;
  const auto rank = static_cast<std::int64_t>(rank_of(value));
  Ints to_last, to_first = {0, rank - 1};
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i != 1) to_last.push_back(i);
    if (i > 0 && i < rank - 1) to_first.push_back(i);
  }
  to_last.push_back(1);
  const auto perm = permutation(node, static_cast<std::size_t>(rank));
  if (perm == to_last) return Kind::ToLast;
  return perm == to_first ? Kind::ToFirst : Kind::Fixed;
}

bool has_only_constants_behind(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                     [&](ValueId id) { return id == kNoValue || graph.value(id).constant; });
}

/// Nodes whose axes can be numbered anew when the emitter writes them.
bool names_axes(const Graph& graph, const Node& node) {
  static const std::set<std::string> ops = {"BatchNormalization",
                                            "Concat",
                                            "GlobalAveragePool",
                                            "GlobalMaxPool",
                                            "LRN",
                                            "Pad",
                                            "Slice",
                                            "Split"};
  // Statistics of every place, as opset 7 allowed, lie as ONNX has them.
  if (node.op == "BatchNormalization" && int_attribute(node, "spatial", 1) != 1) return false;
  if (ops.contains(node.op)) return node.op == "Concat" || has_only_constants_behind(graph, node);
  // Before opset 13 a softmax flattens, which axes in another order don't survive.
  if (node.op == "Softmax" || node.op == "LogSoftmax") return graph.opset >= 13;
  return node.op.starts_with("Reduce") && int_attribute(node, "keepdims", 1) != 0 &&
         has_only_constants_behind(graph, node);
}

bool is_scalar(const Value& value) {
  return value.shape &&
         std::ranges::all_of(*value.shape, [](const Dim& dim) { return dim.size == 1; });
}

/// Every input has the axes of the output, or is one number, or can be stored anew.
bool broadcasts_in_place(const Graph& graph, const Node& node, std::size_t rank) {
  return std::ranges::all_of(node.inputs, [&](ValueId id) {
    if (id == kNoValue) return true;
    const auto& value = graph.value(id);
    return value.constant || rank_of(value) == rank || is_scalar(value);
  });
}

Kind kind_of(const Graph& graph, const Node& node) {
  static const std::set<std::string> windowed = {"AveragePool", "Conv",   "ConvTranspose",
                                                 "MaxPool",     "Resize", "Upsample"};
  const auto* rule = find_operator(node);
  if (rule == nullptr || node.inputs.empty() || node.inputs[0] == kNoValue) return Kind::Fixed;
  if (node.outputs.empty() || node.outputs[0] == kNoValue) return Kind::Fixed;
  if (node.op == "Transpose") return transpose_kind(graph, node);
  for (const auto id : node.outputs) {
    if (id != kNoValue && !is_image(graph.value(id))) return Kind::Fixed;
  }
  if (windowed.contains(node.op)) {
    // The indices of a MaxPool count through the plain order, and sizes known only later name axes.
    const bool sized = node.op == "Resize" || node.op == "Upsample";
    const bool suits = is_image(graph.value(node.inputs[0])) && node.outputs.size() == 1 &&
                       (!sized || has_only_constants_behind(graph, node));
    return suits ? Kind::Windowed : Kind::Fixed;
  }
  const auto rank = rank_of(graph.value(node.outputs[0]));
  if (rule->elementwise)
    return broadcasts_in_place(graph, node, rank) ? Kind::Follows : Kind::Fixed;
  return rank_of(graph.value(node.inputs[0])) == rank && names_axes(graph, node) ? Kind::Follows
                                                                                 : Kind::Fixed;
}

Layout wanted_layout(Kind kind) {
  return kind == Kind::Windowed || kind == Kind::ToLast ? Layout::ChannelsLast : Layout::Plain;
}
Layout given_layout(Kind kind) {
  return kind == Kind::Windowed || kind == Kind::ToFirst ? Layout::ChannelsLast : Layout::Plain;
}

/// Bytes that a conversion moves; open axes count as one.
double conversion_bytes(const Value& value) {
  if (!is_image(value) || value.constant || same_in_both(value)) return 0;
  double bytes = static_cast<double>(size_bytes(value.dtype.value_or(DType::F32)));
  for (const auto& dim : *value.shape)
    bytes *= static_cast<double>(std::max<std::int64_t>(dim.size, 1));
  return bytes;
}

/// What the node reads beside its images, of the rank of images: run-time weights, and what its
/// bodies capture.
std::vector<ValueId> plain_inputs(const Graph& graph, const Node& node, const ValueIndex& index) {
  const auto images = data_inputs(graph, node);
  const std::unordered_set<ValueId> data(images.begin(), images.end());
  auto read = values_read(node, index);
  std::erase_if(read, [&](ValueId id) {
    return !is_image(graph.value(id)) || graph.value(id).constant || data.contains(id);
  });
  return read;
}

class Planner {
 public:
  explicit Planner(const Graph& graph)
      : graph_(graph), index_(index_values(graph)), makers_(graph.values.size()) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      kinds_.push_back(oriented(graph.nodes[i], kind_of(graph, graph.nodes[i])));
      groups_.push_back(i);
      for (const auto id : graph.nodes[i].outputs)
        if (id != kNoValue) makers_[at(id)] = i;
    }
  }

  LayoutPlan plan() {
    join_followers();
    weigh_borders();
    LayoutPlan plan;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      plan.nodes.push_back(layout_of(i));
      plan.renames.push_back(kinds_[i] == Kind::ToLast || kinds_[i] == Kind::ToFirst);
    }
    for (const auto& maker : makers_) {
      plan.values.push_back(maker ? (kinds_[*maker] == Kind::Follows ? layout_of(*maker)
                                                                     : given_layout(kinds_[*maker]))
                                  : Layout::Plain);
    }
    return plan;
  }

 private:
  /// Bytes to convert when the whole group is in one layout.
  struct Cost {
    double plain = 0, last = 0;
  };

  /// With three axes there and back are the same permutation: which it is, the input tells.
  Kind oriented(const Node& node, Kind kind) const {
    if (kind != Kind::ToLast || rank_of(graph_.value(node.inputs[0])) != 3) return kind;
    const auto maker = makers_[at(node.inputs[0])];
    const bool plain = !maker || kinds_[*maker] == Kind::Fixed || kinds_[*maker] == Kind::ToLast;
    return plain ? Kind::ToFirst : Kind::ToLast;
  }

  static std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }

  std::size_t group_of(std::size_t node) {
    while (groups_[node] != node) node = groups_[node] = groups_[groups_[node]];
    return node;
  }

  Layout layout_of(std::size_t node) {
    if (kinds_[node] != Kind::Follows) return wanted_layout(kinds_[node]);
    const auto& cost = costs_[group_of(node)];
    return cost.last < cost.plain ? Layout::ChannelsLast : Layout::Plain;
  }

  void join_followers() {
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (kinds_[i] != Kind::Follows) continue;
      for (const auto id : data_inputs(graph_, graph_.nodes[i])) {
        const auto maker = makers_[at(id)];
        if (maker && kinds_[*maker] == Kind::Follows) groups_[group_of(i)] = group_of(*maker);
      }
    }
  }

  /// `id` enters or leaves the group in `layout`; it is converted once however many want it.
  void add_border(std::size_t group, ValueId id, Layout layout) {
    if (!counted_.insert({group, id, layout}).second) return;
    auto& cost = costs_[group];
    (layout == Layout::Plain ? cost.last : cost.plain) += conversion_bytes(graph_.value(id));
  }

  void weigh_borders() {
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      for (const auto id : data_inputs(graph_, graph_.nodes[i])) {
        const auto maker = makers_[at(id)];
        const bool from_group = maker && kinds_[*maker] == Kind::Follows;
        if (kinds_[i] == Kind::Follows && !from_group) {
          add_border(group_of(i), id, maker ? given_layout(kinds_[*maker]) : Layout::Plain);
        } else if (kinds_[i] != Kind::Follows && from_group) {
          add_border(group_of(*maker), id, wanted_layout(kinds_[i]));
        }
      }
      for (const auto id : plain_inputs(graph_, graph_.nodes[i], index_)) want_plain(id);
    }
    for (const auto id : graph_.outputs) want_plain(id);
  }

  void want_plain(ValueId id) {
    const auto maker = makers_[at(id)];
    if (maker && kinds_[*maker] == Kind::Follows) add_border(group_of(*maker), id, Layout::Plain);
  }

  const Graph& graph_;
  const ValueIndex index_;
  std::vector<Kind> kinds_;                         ///< by node
  std::vector<std::size_t> groups_;                 ///< by node: union-find over followers
  std::vector<std::optional<std::size_t>> makers_;  ///< by value
  std::map<std::size_t, Cost> costs_;               ///< by group
  std::set<std::tuple<std::size_t, ValueId, Layout>> counted_;
};

}  // namespace

LayoutPlan plan_layout(const Graph& graph) {
  return Planner(graph).plan();
}

std::vector<ValueId> data_inputs(const Graph& graph, const Node& node) {
  const auto* rule = find_operator(node);
  const bool all = rule == nullptr || rule->elementwise || node.op == "Concat" ||
                   kind_of(graph, node) == Kind::Fixed;
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < (all ? node.inputs.size() : 1); ++i) {
    const auto id = node.inputs[i];
    if (id != kNoValue && is_image(graph.value(id))) inputs.push_back(id);
  }
  return inputs;
}

std::vector<Conversion> conversions(const Graph& graph, const LayoutPlan& plan) {
  std::vector<Conversion> needed;
  std::set<std::pair<ValueId, Layout>> seen;
  const auto index = index_values(graph);
  const auto want = [&](ValueId id, Layout layout) {
    if (plan.values[static_cast<std::size_t>(id)] == layout) return;
    if (conversion_bytes(graph.value(id)) == 0) return;
    if (seen.insert({id, layout}).second) needed.push_back({id, layout});
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto id : data_inputs(graph, graph.nodes[i])) want(id, plan.nodes[i]);
    for (const auto id : plain_inputs(graph, graph.nodes[i], index)) want(id, Layout::Plain);
  }
  for (const auto id : graph.outputs) want(id, Layout::Plain);
  return needed;
}

}  // namespace inferometer::graph
