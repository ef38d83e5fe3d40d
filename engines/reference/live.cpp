// SPDX-License-Identifier: Apache-2.0
#include "live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <iterator>

#include "graph/expand.hpp"
#include "graph/operators.hpp"
#include "graph/uses.hpp"
#include "plan.hpp"

namespace inferometer::reference {
namespace {

bool is_plannable(const graph::Graph& graph, const graph::Node& node) {
  const auto* rule = graph::find_operator(node);
  if (rule == nullptr) return true;  // refused elsewhere
  for (std::size_t i = 0; i < node.inputs.size() && i < 32; ++i) {
    const bool decides = (rule->value_inputs >> i & 1u) != 0 && node.inputs[i] != graph::kNoValue;
    if (decides && !graph.value(node.inputs[i]).constant) return false;
  }
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](graph::ValueId id) {
    return id == graph::kNoValue || is_known(graph.value(id));
  });
}

/// Of values, nodes and ports that bodies may bring: some hundred bytes each.
constexpr std::size_t kMostExpanded = 1U << 22;

class LiveRun {
 public:
  LiveRun(const graph::Graph& graph, Pool& pool, const Multiplier& multiplier)
      : graph_(graph), pool_(pool), multiplier_(multiplier) {}

  std::vector<Tensor> run(std::span<const View> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) give(graph_.inputs[i], inputs[i], nullptr);
    std::deque<graph::Node> waiting(graph_.nodes.begin(), graph_.nodes.end());
    for (const auto id : graph_.outputs) ++uses(id);
    count_uses(waiting);
    while (!waiting.empty()) {
      const auto node = std::move(waiting.front());
      waiting.pop_front();
      if (auto nodes = expander_.expand(node)) {
        // What the node read by name stays counted: its bodies may read it.
        count_uses(*nodes);
        release_inputs(node);
        waiting.insert(waiting.begin(), nodes->begin(), nodes->end());
      } else {
        step(node);
      }
    }
    std::vector<Tensor> results;
    for (const auto id : graph_.outputs) results.push_back(result(id));
    return results;
  }

 private:
  int& uses(graph::ValueId id) {
    uses_.resize(graph_.values.size(), 0);
    return uses_[static_cast<std::size_t>(id)];
  }

  template <class Nodes>
  void count_uses(const Nodes& nodes) {
    for (const auto& node : nodes)
      for (const auto id : graph::values_read(node, expander_.index())) ++uses(id);
  }

  void release_inputs(const graph::Node& node) {
    for (const auto id : node.inputs)
      if (id != graph::kNoValue && --uses(id) == 0) graph_.value(id).constant.reset();
  }

  void give(graph::ValueId id, const View& view, std::shared_ptr<const void> owner) {
    auto& value = graph_.value(id);
    std::vector<std::int64_t> sizes(view.shape.begin(), view.shape.end());
    value.dtype = view.dtype;
    value.shape.emplace();
    for (const auto size : sizes) value.shape->push_back({.size = size, .symbol = {}});
    const std::span bytes(static_cast<const std::byte*>(view.data), view.size_bytes());
    value.constant = graph::Constant{view.dtype, std::move(sizes), bytes, std::move(owner)};
  }

  View view_of(graph::ValueId id) const {
    if (id == graph::kNoValue) return {};
    const auto& constant = *graph_.value(id).constant;
    return View(static_cast<const void*>(constant.bytes.data()), constant.dtype,
                Shape(constant.shape));
  }

  void step(const graph::Node& node) {
    const auto kernel = kernels().find(node.op);
    if (kernel == kernels().end()) {
      throw Error(Status::Unsupported,
                  fmt::format("node {} ({}): its bodies bring more than {} values and nodes",
                              node.name, node.op, kMostExpanded));
    }
    graph::infer_node(graph_, node);
    std::vector<View> in, out;
    std::vector<Tensor> made;
    for (const auto id : node.inputs) in.push_back(view_of(id));
    for (const auto id : node.outputs) {
      const View planned = id == graph::kNoValue ? View{} : planned_view(graph_.value(id));
      made.push_back(id == graph::kNoValue ? Tensor{} : Tensor(planned.dtype, planned.shape));
      out.push_back(made.back().view());
    }
    kernel->second(Site(graph_, node))(
        {.in = in, .out = out, .pool = pool_, .multiplier = multiplier_});
    for (std::size_t i = 0; i < made.size(); ++i)
      if (node.outputs[i] != graph::kNoValue) give(node.outputs[i], out[i], made[i].owner());
    release_inputs(node);
  }

  Tensor result(graph::ValueId id) const {
    const auto& constant = graph_.value(id).constant;
    if (!constant)
      throw Error(Status::Invalid,
                  fmt::format("no node gives the output {}", graph_.value(id).name));
    const View view = view_of(id);
    Tensor copy(view.dtype, view.shape);
    if (view.size_bytes() > 0) std::memcpy(copy.data(), view.data, view.size_bytes());
    return copy;
  }

  graph::Graph graph_;
  graph::Expander expander_{graph_, kMostExpanded};
  Pool& pool_;
  const Multiplier& multiplier_;
  std::vector<int> uses_;
};

}  // namespace

bool is_plannable(const graph::Graph& graph) {
  return std::all_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const graph::Node& node) { return is_plannable(graph, node); });
}

std::vector<Tensor> run_live(const graph::Graph& graph, std::span<const View> inputs, Pool& pool,
                             const Multiplier& multiplier) {
  return LiveRun(graph, pool, multiplier).run(inputs);
}

}  // namespace inferometer::reference
