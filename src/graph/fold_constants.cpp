// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <deque>

#include "graph/expand.hpp"
#include "graph/operators.hpp"
#include "graph/passes.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

/// All results together: a file of a few bytes may ask for many large ones.
constexpr std::int64_t kMostFoldedBytes = 512LL << 20;
/// Longer loops are kept: they run as well, where they can.
constexpr std::size_t kMostExpanded = 1U << 18;

bool is_fixed(const Value& value) {
  return value.dtype && value.shape &&
         std::all_of(value.shape->begin(), value.shape->end(),
                     [](const Dim& d) { return d.size >= 0; });
}

/// Size of a value, nullopt when unknown.
std::optional<std::int64_t> bytes_of(const Value& value) {
  if (!is_fixed(value)) return std::nullopt;
  std::vector<std::int64_t> sizes;
  for (const auto& dim : *value.shape) sizes.push_back(dim.size);
  const auto elements = checked_product(sizes);
  return elements ? checked_mul(*elements, static_cast<std::int64_t>(size_bytes(*value.dtype)))
                  : std::nullopt;
}

bool is_constant(const Graph& graph, const std::vector<ValueId>& ids) {
  return std::all_of(ids.begin(), ids.end(), [&](ValueId id) {
    return id == kNoValue || graph.value(id).constant.has_value();
  });
}

/// The elements of the node's outputs when all of them follow from shapes.
bool folded_by_elements(Graph& graph, const Node& node) {
  std::vector<std::vector<std::int64_t>> found;
  for (const auto id : node.outputs) {
    if (id == kNoValue) return false;
    const auto& value = graph.value(id);
    if (!is_fixed(value) || value.dtype != DType::I64 || !value.elements) return false;
    auto& numbers = found.emplace_back();
    for (const auto& element : *value.elements) {
      if (!element.number) return false;
      numbers.push_back(*element.number);
    }
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto& value = graph.value(node.outputs[i]);
    std::vector<std::int64_t> shape;
    for (const auto& dim : *value.shape) shape.push_back(dim.size);
    value.constant = make_constant<std::int64_t>(std::move(shape), found[i]);
  }
  return true;
}

class Folder {
 public:
  Folder(Graph& graph, std::size_t limit_bytes) : graph_(graph), limit_bytes_(limit_bytes) {}

  void run() {
    std::deque<Node> waiting(std::make_move_iterator(graph_.nodes.begin()),
                             std::make_move_iterator(graph_.nodes.end()));
    std::vector<Node> kept;
    kept.reserve(waiting.size());
    while (!waiting.empty()) {
      auto node = std::move(waiting.front());
      waiting.pop_front();
      // A constant found above may be the shape or the axes that this node waited for.
      infer_node(graph_, node);
      if (auto nodes = expander_.expand(node)) {
        waiting.insert(waiting.begin(), std::make_move_iterator(nodes->begin()),
                       std::make_move_iterator(nodes->end()));
      } else if (!folded_by_elements(graph_, node) && !compute(node)) {
        kept.push_back(std::move(node));
      }
    }
    graph_.nodes = std::move(kept);
  }

 private:
  bool compute(const Node& node) {
    const auto* rule = find_operator(node);
    if (rule == nullptr || rule->fold == nullptr || !is_constant(graph_, node.inputs)) return false;
    if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return false;
    auto& output = graph_.value(node.outputs[0]);
    const auto bytes = bytes_of(output);
    if (!bytes || static_cast<std::uint64_t>(*bytes) > limit_bytes_ || *bytes > left_) return false;
    Folding at{graph_, node, {}, {&output}};
    for (const auto id : node.inputs) {
      at.inputs.push_back(id != kNoValue ? &*graph_.value(id).constant : nullptr);
    }
    auto constant = rule->fold(at);
    if (!constant) return false;
    left_ -= *bytes;
    output.constant = std::move(constant);
    return true;
  }

  Graph& graph_;
  Expander expander_{graph_, kMostExpanded};
  std::size_t limit_bytes_;
  std::int64_t left_ = kMostFoldedBytes;
};

}  // namespace

void fold_constants(Graph& graph, std::size_t limit_bytes) {
  Folder(graph, limit_bytes).run();
}

}  // namespace inferometer::graph
