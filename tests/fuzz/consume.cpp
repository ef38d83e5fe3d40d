// SPDX-License-Identifier: Apache-2.0
#include "consume.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "../../engines/reference/kernel.hpp"
#include "../../engines/reference/plan.hpp"
#include "graph/clusters.hpp"
#include "graph/layout_plan.hpp"
#include "graph/merge.hpp"
#include "graph/onnx.hpp"
#include "graph/passes.hpp"
#include "inferometer/error.hpp"

namespace inferometer::fuzz {
namespace {

constexpr std::int64_t kSymbolMeans = 2;
constexpr std::int64_t kMostElements = 1 << 16, kMostMacs = 1 << 22;
constexpr std::size_t kFoldedBytes = 1 << 20;

/// Elements of a shape with every open axis at kSymbolMeans; kMostElements + 1 for more than that.
std::int64_t elements(const std::vector<Dim>& shape) {
  std::int64_t count = 1;
  for (const auto& dim : shape) {
    const auto size = dim.size < 0 ? kSymbolMeans : dim.size;
    if (size > kMostElements) return kMostElements + 1;
    count *= size;
    if (count > kMostElements) return kMostElements + 1;
  }
  return count;
}

bool is_small(const graph::Graph& graph) {
  std::int64_t sum = 0;
  for (const auto& value : graph.values) {
    if (!value.shape) return false;  // made while it computes: of any size
    sum += elements(*value.shape);
    if (sum > kMostElements) return false;
  }
  return graph::count_macs(graph, kSymbolMeans) <= kMostMacs;
}

std::vector<Tensor> inputs_of(const graph::Graph& graph) {
  std::vector<Tensor> inputs;
  for (const auto id : graph.inputs) {
    std::vector<std::int64_t> sizes;
    for (const auto& dim : *graph.value(id).shape)
      sizes.push_back(dim.size < 0 ? kSymbolMeans : dim.size);
    Tensor x(graph.value(id).dtype.value(), Shape(sizes));
    std::fill_n(static_cast<std::byte*>(x.data()), x.view().size_bytes(), std::byte{0});
    if (x.dtype() == DType::F32) std::ranges::fill(x.as<float>(), 0.5F);
    inputs.push_back(std::move(x));
  }
  return inputs;
}

void compute(const graph::Graph& graph) {
  const auto inputs = inputs_of(graph);
  std::vector<Shape> shapes;
  for (const auto& input : inputs) shapes.push_back(input.shape());
  const auto plan = reference::make_plan(graph, shapes);
  if (plan->live) return;
  std::vector<Tensor> outputs;
  for (const auto& output : plan->outputs)
    outputs.emplace_back(output.view.dtype, output.view.shape);
  const std::vector<View> in(inputs.begin(), inputs.end()), out(outputs.begin(), outputs.end());
  reference::Arena arena;
  reference::Pool pool(1);
  reference::run_plan(*plan, in, out, arena, pool, reference::multipliers().front(), {});
}

}  // namespace

std::string consume(std::span<const std::byte> model) {
  try {
    auto graph = graph::read_onnx(model);
    graph::infer_shapes(graph);
    graph::signature_of(graph);
    graph::count_parameters(graph);
    graph::unknown_operators(graph);
    graph::find_clusters(graph);
    graph::conversions(graph, graph::plan_layout(graph));
    if (!is_small(graph)) return "";
    graph::peak_activation_bytes(graph);
    const std::array<graph::Part, 2> twice = {graph::Part{"a", graph}, graph::Part{"b", graph}};
    graph::merge(twice);
    compute(graph);
    graph::fold_constants(graph, kFoldedBytes);
    graph::fold_batch_norm(graph);
    graph::remove_dead(graph);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace inferometer::fuzz
