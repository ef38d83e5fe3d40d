// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "graph/builder.hpp"
#include "graph/passes.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {

namespace {

/// y = scale * x + shift, per channel: what a BatchNormalization does.
struct Affine {
  std::vector<double> scale, shift;
};

std::optional<Affine> affine_of(const Graph& graph, const Node& norm) {
  if (int_attribute(norm, "spatial", 1) != 1) return std::nullopt;
  std::vector<std::vector<double>> statistics;
  for (std::size_t i = 1; i < 5; ++i) {
    const auto& constant = graph.value(norm.inputs[i]).constant;
    if (!constant) return std::nullopt;
    statistics.push_back(as_reals(*constant));
  }
  const double epsilon = float_attribute(norm, "epsilon", 1e-5F);
  Affine affine;
  const auto channels = statistics[0].size();
  for (const auto& list : statistics) {
    if (list.size() != channels) return std::nullopt;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = statistics[0][c] / std::sqrt(statistics[3][c] + epsilon);
    if (!std::isfinite(scale)) return std::nullopt;
    affine.scale.push_back(scale);
    affine.shift.push_back(statistics[1][c] - statistics[2][c] * scale);
  }
  return affine;
}

const Constant* float_constant(const Graph& graph, const Node& node, std::size_t input) {
  if (input >= node.inputs.size() || node.inputs[input] == kNoValue) return nullptr;
  const auto& constant = graph.value(node.inputs[input]).constant;
  return constant && constant->dtype == DType::F32 ? &*constant : nullptr;
}

ValueId add_constant(Graph& graph, const std::string& name, const std::vector<std::int64_t>& shape,
                     const std::vector<float>& values) {
  auto constant = make_constant<float>(shape, values);
  graph.values.push_back({name, DType::F32, fixed_dims(shape), std::move(constant)});
  return static_cast<ValueId>(graph.values.size() - 1);
}

std::vector<float> scaled(const Constant& weight, const std::vector<double>& scale,
                          std::size_t channels_step) {
  const auto values = as_reals(weight, weight.elements());
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    result[i] = static_cast<float>(values[i] * scale[i / channels_step % scale.size()]);
  }
  return result;
}

/// The node's bias as doubles (zeros when it has none), nullopt when it isn't a constant vector.
std::optional<std::vector<double>> bias_of(const Graph& graph, const Node& node, double factor,
                                           std::size_t channels) {
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) return std::vector<double>(channels);
  const auto* constant = float_constant(graph, node, 2);
  if (constant == nullptr) return std::nullopt;
  auto bias = as_reals(*constant);
  if (bias.size() == 1) bias.resize(channels, bias[0]);
  // A Gemm's C may also be a whole matrix or a column, one value per row.
  const bool row = constant->shape.empty() ||
                   constant->shape.back() == static_cast<std::int64_t>(channels) ||
                   constant->elements() == 1;
  if (bias.size() != channels || !row) return std::nullopt;
  for (auto& value : bias) value *= factor;
  return bias;
}

/// Where the output channels of the weight lie: elements between two of them.
std::size_t channel_step(const Node& node, const Constant& weight, std::size_t channels) {
  const auto elements = static_cast<std::size_t>(weight.elements());
  const bool first = node.op == "Conv" || int_attribute(node, "transB", 0) != 0;
  return first ? std::max<std::size_t>(1, elements / channels) : 1;
}

bool fold_into(Graph& graph, Node& node, const Node& norm) {
  const bool conv = node.op == "Conv";
  if (!conv && node.op != "Gemm") return false;
  const auto* weight = float_constant(graph, node, 1);
  const auto affine = affine_of(graph, norm);
  if (weight == nullptr || !affine || weight->shape.size() < 2) return false;
  const auto channels = affine->scale.size();
  const auto axis = conv || int_attribute(node, "transB", 0) != 0 ? 0 : 1;
  if (channels == 0 ||
      weight->shape[static_cast<std::size_t>(axis)] != static_cast<std::int64_t>(channels)) {
    return false;
  }
  const double beta = conv ? 1.0 : float_attribute(node, "beta", 1.0F);
  const auto bias = bias_of(graph, node, beta, channels);
  if (!bias) return false;
  std::vector<float> shift(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    shift[c] = static_cast<float>((*bias)[c] * affine->scale[c] + affine->shift[c]);
  }
  const auto values = scaled(*weight, affine->scale, channel_step(node, *weight, channels));
  const auto shape = weight->shape;
  node.inputs.resize(3, kNoValue);
  node.inputs[1] = add_constant(graph, node.name + ".folded_weight", shape, values);
  node.inputs[2] =
      add_constant(graph, node.name + ".folded_bias", {static_cast<std::int64_t>(channels)}, shift);
  if (!conv) node.attributes["beta"] = 1.0F;
  node.outputs = {norm.outputs[0]};
  return true;
}

/// How often each value is read, by nodes or as an output.
std::vector<int> read_counts(const Graph& graph) {
  std::vector<int> counts(graph.values.size());
  const auto index = index_values(graph);
  for (const auto& node : graph.nodes) {
    for (const auto id : values_read(node, index)) ++counts[static_cast<std::size_t>(id)];
  }
  for (const auto id : graph.outputs) ++counts[static_cast<std::size_t>(id)];
  return counts;
}

}  // namespace

void fold_batch_norm(Graph& graph) {
  const auto counts = read_counts(graph);
  std::vector<std::ptrdiff_t> producer(graph.values.size(), -1);
  std::vector<Node> kept;
  kept.reserve(graph.nodes.size());
  for (auto& node : graph.nodes) {
    if (node.op == "BatchNormalization" && node.domain.empty() && node.inputs.size() == 5 &&
        node.outputs.size() == 1) {
      const auto input = static_cast<std::size_t>(node.inputs[0]);
      const auto from = producer[input];
      if (from >= 0 && counts[input] == 1 &&
          fold_into(graph, kept[static_cast<std::size_t>(from)], node)) {
        producer[static_cast<std::size_t>(node.outputs[0])] = from;
        continue;
      }
    }
    for (const auto id : node.outputs) {
      if (id != kNoValue)
        producer[static_cast<std::size_t>(id)] = static_cast<std::ptrdiff_t>(kept.size());
    }
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
}

}  // namespace inferometer::graph
