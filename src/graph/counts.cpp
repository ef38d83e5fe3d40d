// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/text.hpp"
#include "graph/elements.hpp"
#include "graph/passes.hpp"
#include "graph/sizes.hpp"
#include "graph/text.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {

namespace {

std::int64_t multiplied(const Node& node, std::int64_t a, std::int64_t b) {
  const auto product = checked_mul(a, b);
  if (!product) throw_invalid("node {} ({}): its operations overflow", node.name, node.op);
  return *product;
}

/// Every open axis counts as `symbol_value`.
std::vector<std::int64_t> sizes_of(const Value& value, std::int64_t symbol_value) {
  std::vector<std::int64_t> sizes;
  for (const auto& dim : *value.shape) sizes.push_back(dim.size >= 0 ? dim.size : symbol_value);
  return sizes;
}

std::int64_t elements_of(const Node& node, const std::vector<std::int64_t>& sizes) {
  std::int64_t count = 1;
  for (const auto size : sizes) count = multiplied(node, count, size);
  return count;
}

std::int64_t node_macs(const Graph& graph, const Node& node, std::int64_t symbol_value) {
  const bool conv = node.op == "Conv" || node.op == "ConvTranspose";
  if (!node.domain.empty() || !(conv || node.op == "Gemm" || node.op == "MatMul")) return 0;
  const auto& left = graph.value(node.inputs[0]);
  const auto& right = graph.value(node.inputs[1]);
  const auto& result = graph.value(node.outputs[0]);
  if (!left.shape || !right.shape || !result.shape) {
    throw_invalid("node {} ({}): shapes are not known, so its operations can't be counted",
                  node.name, node.op);
  }
  const auto a = sizes_of(left, symbol_value);
  const auto b = sizes_of(right, symbol_value);
  // Every element of the output (ConvTranspose: of the input) meets one filter.
  if (conv) {
    const bool transposed = node.op == "ConvTranspose";
    const auto places = elements_of(node, transposed ? a : sizes_of(result, symbol_value));
    return multiplied(node, places, elements_of(node, {b.begin() + 1, b.end()}));
  }
  const bool flipped = node.op == "Gemm" && int_attribute(node, "transA", 0) != 0;
  const auto inner = flipped ? a[0] : a.back();
  return multiplied(node, elements_of(node, sizes_of(result, symbol_value)), inner);
}

/// `graph` with every open axis of its inputs set, so that what follows from them is exact.
Graph with_sizes(const Graph& graph, std::int64_t symbol_value) {
  Graph sized = graph;
  for (auto& value : sized.values) {
    if (!value.shape) continue;
    for (auto& dim : *value.shape) {
      if (dim.size < 0 && !dim.symbol.empty()) dim = {symbol_value, ""};
    }
  }
  for (const auto id : sized.inputs) {
    if (!sized.value(id).shape) continue;
    for (auto& dim : *sized.value(id).shape) {
      if (dim.size < 0) dim = {symbol_value, ""};
    }
  }
  infer_shapes(sized);
  return sized;
}

std::int64_t value_bytes(const Node& node, const Value& value, std::int64_t symbol_value) {
  if (!value.dtype || !value.shape) {
    throw_invalid("node {} ({}): the shape of '{}' is not known, so its memory can't be counted",
                  node.name, node.op, printable(value.name));
  }
  return multiplied(node, elements_of(node, sizes_of(value, symbol_value)),
                    static_cast<std::int64_t>(size_bytes(*value.dtype)));
}

/// For every value the last node that reads it; the number of nodes for an output of the graph, -1
/// for a value that nothing reads.
std::vector<std::int64_t> last_readers(const Graph& graph) {
  std::vector<std::int64_t> last(graph.values.size(), -1);
  const auto index = index_values(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto id : values_read(graph.nodes[i], index)) {
      last[static_cast<std::size_t>(id)] = static_cast<std::int64_t>(i);
    }
  }
  for (const auto id : graph.outputs) {
    last[static_cast<std::size_t>(id)] = static_cast<std::int64_t>(graph.nodes.size());
  }
  return last;
}

/// Values that follow from constants alone, which engines compute once: they are as good as
/// weights.
std::vector<bool> constants_of(const Graph& graph, const ValueIndex& index) {
  std::vector<bool> constant;
  for (const auto& value : graph.values) constant.push_back(value.constant.has_value());
  for (const auto& node : graph.nodes) {
    const auto read = values_read(node, index);
    const bool all = std::ranges::all_of(
        read, [&](ValueId id) { return constant[static_cast<std::size_t>(id)]; });
    for (const auto id : node.outputs) {
      if (id != kNoValue && all) constant[static_cast<std::size_t>(id)] = true;
    }
  }
  return constant;
}

/// Memory in use while nodes run in turn.
class Occupancy {
 public:
  Occupancy(const Graph& graph, std::int64_t symbol_value, std::vector<bool> constant)
      : graph_(graph),
        symbol_value_(symbol_value),
        constant_(std::move(constant)),
        bytes_(graph.values.size(), 0) {}

  void take(const Node& node, ValueId id) {
    auto& bytes = bytes_[static_cast<std::size_t>(id)];
    if (bytes != 0 || constant_[static_cast<std::size_t>(id)]) return;
    bytes = value_bytes(node, graph_.value(id), symbol_value_);
    const auto sum = checked_add(now_, bytes);
    if (!sum) throw_invalid("the model's activations overflow");
    now_ = *sum;
    peak_ = std::max(peak_, now_);
  }
  void release(ValueId id) { now_ -= std::exchange(bytes_[static_cast<std::size_t>(id)], 0); }
  std::int64_t peak() const { return peak_; }

 private:
  const Graph& graph_;
  std::int64_t symbol_value_;
  std::vector<bool> constant_;
  std::vector<std::int64_t> bytes_;  ///< of values in use
  std::int64_t now_ = 0, peak_ = 0;
};

}  // namespace

std::int64_t count_macs(const Graph& graph, std::int64_t symbol_value) {
  const auto sized = with_sizes(graph, symbol_value);
  std::int64_t total = 0;
  for (const auto& node : sized.nodes) {
    const auto sum = checked_add(total, node_macs(sized, node, symbol_value));
    if (!sum) throw_invalid("the model's operations overflow");
    total = *sum;
  }
  return total;
}

std::int64_t peak_activation_bytes(const Graph& graph, std::int64_t symbol_value) {
  const auto sized = with_sizes(graph, symbol_value);
  const auto last = last_readers(sized);
  const auto index = index_values(sized);
  Occupancy occupancy(sized, symbol_value, constants_of(sized, index));
  for (const auto id : sized.inputs)
    occupancy.take({"<input>", "of the graph", "", {}, {}, {}}, id);
  for (std::size_t i = 0; i < sized.nodes.size(); ++i) {
    const auto& node = sized.nodes[i];
    for (const auto id : node.outputs) {
      if (id != kNoValue) occupancy.take(node, id);
    }
    auto touched = values_read(node, index);
    touched.insert(touched.end(), node.outputs.begin(), node.outputs.end());
    for (const auto id : touched) {
      if (id != kNoValue && last[static_cast<std::size_t>(id)] <= static_cast<std::int64_t>(i)) {
        occupancy.release(id);
      }
    }
  }
  return occupancy.peak();
}

namespace {

std::int64_t parameters_of_bodies(const Graph& graph) {
  std::int64_t count = 0;
  for (const auto& node : graph.nodes) {
    for (const auto& [name, attribute] : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute);
      if (body != nullptr) count += count_parameters(**body);
    }
  }
  return count;
}

}  // namespace

std::int64_t count_parameters(const Graph& graph) {
  std::unordered_set<ValueId> statistics;
  for (const auto& node : graph.nodes) {
    if (node.op != "BatchNormalization" || node.inputs.size() < 5) continue;
    statistics.insert({node.inputs[3], node.inputs[4]});
  }
  std::int64_t count = parameters_of_bodies(graph);
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const auto& constant = graph.values[i].constant;
    if (!constant || !is_floating(constant->dtype)) continue;
    if (statistics.count(static_cast<ValueId>(i)) == 0) count += constant->elements();
  }
  return count;
}

}  // namespace inferometer::graph
