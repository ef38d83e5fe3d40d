// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "makers.hpp"

namespace inferometer::random_graphs {
namespace {

using graph::ValueId;

/// Weights so small that a sum over `terms` products stays near the size of the input.
double weight_scale(std::int64_t terms) {
  return 2 / std::sqrt(static_cast<double>(terms));
}
/// What such a sum can reach.
double sum_bound(std::int64_t terms, double bound) {
  return static_cast<double>(terms) * weight_scale(terms) * bound;
}

std::int64_t any_divisor(Random& random, std::int64_t of) {
  Sizes divisors;
  for (std::int64_t d = 1; d <= of; ++d)
    if (of % d == 0) divisors.push_back(d);
  return random.chance(60) ? 1 : random.pick(divisors);
}

struct Window {
  Sizes kernel, strides, dilations, pads;
  std::int64_t taps = 1;

  Attributes attributes() const {
    return {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}};
  }
};

/// A window that fits the spatial sizes; pads stay below the kernel, as pooling needs it.
std::optional<Window> any_window(Draft& draft, const Sizes& sizes, bool dilated) {
  Window window;
  const auto spatial = sizes.size() - 2;
  window.pads.assign(2 * spatial, 0);
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto kernel = draft.random.between(1, std::min<std::int64_t>(4, sizes[i + 2] + 1));
    const auto dilation = dilated && draft.random.chance(30) ? 2 : 1;
    const auto most = std::min<std::int64_t>(kernel - 1, 2);
    window.pads[i] = draft.random.between(0, most);
    window.pads[i + spatial] = draft.random.between(0, most);
    const auto reach = (kernel - 1) * dilation + 1;
    if (sizes[i + 2] + window.pads[i] + window.pads[i + spatial] < reach) return std::nullopt;
    window.kernel.push_back(kernel);
    window.dilations.push_back(dilation);
    window.strides.push_back(draft.random.between(1, 2));
    window.taps *= kernel;
  }
  return window;
}

/// The way of padding: numbers, or one of the names.
void vary_padding(Draft& draft, Attributes& attributes) {
  static const std::vector<std::string> names = {"SAME_UPPER", "SAME_LOWER", "NOTSET"};
  if (!draft.random.chance(15)) return;
  const auto name = draft.random.pick(names);
  attributes["auto_pad"] = name;
  if (name != "NOTSET") attributes.erase("pads");
}

bool make_conv(Draft& draft) {
  const auto x = draft.any_of_rank(3, 4);
  if (!x) return false;
  const auto sizes = draft.sizes(x->id);
  const auto window = any_window(draft, sizes, true);
  if (!window) return false;
  const auto groups = any_divisor(draft.random, sizes[1]);
  const auto outputs = groups * draft.random.between(1, groups > 1 ? 2 : 8);
  const auto terms = sizes[1] / groups * window->taps;
  Sizes shape = {outputs, sizes[1] / groups};
  shape.insert(shape.end(), window->kernel.begin(), window->kernel.end());
  std::vector<ValueId> inputs = {x->id, draft.floats(shape, weight_scale(terms))};
  if (draft.random.chance(60)) inputs.push_back(draft.floats({outputs}, 1));
  auto attributes = window->attributes();
  attributes["dilations"] = window->dilations;
  attributes["group"] = groups;
  vary_padding(draft, attributes);
  const auto id = draft.node("Conv", inputs, attributes);
  if (!draft.fits(draft.sizes(id))) return false;
  draft.keep(id, sum_bound(terms, x->bound) + 1);
  return true;
}

bool make_conv_transpose(Draft& draft) {
  const auto x = draft.any_of_rank(3, 4);
  if (!x) return false;
  const auto sizes = draft.sizes(x->id);
  const auto window = any_window(draft, sizes, false);
  if (!window || 4 * draft.elements(sizes) * window->taps > kMostElements) return false;
  const auto groups = any_divisor(draft.random, sizes[1]);
  const auto each = draft.random.between(1, 3);
  const auto terms = sizes[1] / groups * window->taps;
  for (std::size_t i = 0; i < window->kernel.size(); ++i) {
    const auto made = (sizes[i + 2] - 1) * window->strides[i] + window->kernel[i] -
                      window->pads[i] - window->pads[i + window->kernel.size()];
    if (made < 1) return false;
  }
  Sizes shape = {sizes[1], each};
  shape.insert(shape.end(), window->kernel.begin(), window->kernel.end());
  auto attributes = window->attributes();
  attributes["group"] = groups;
  const auto id =
      draft.node("ConvTranspose", {x->id, draft.floats(shape, weight_scale(terms))}, attributes);
  draft.keep(id, sum_bound(terms, x->bound));
  return true;
}

bool make_pool(Draft& draft) {
  const auto x = draft.any_of_rank(3, 4);
  if (!x) return false;
  const auto window = any_window(draft, draft.sizes(x->id), false);
  if (!window) return false;
  auto attributes = window->attributes();
  const bool average = draft.random.chance(50);
  if (average) attributes["count_include_pad"] = draft.random.between(0, 1);
  draft.keep(draft.node(average ? "AveragePool" : "MaxPool", {x->id}, attributes), x->bound);
  return true;
}

bool make_global_pool(Draft& draft) {
  const auto x = draft.any_of_rank(3, 4);
  if (!x) return false;
  draft.keep(draft.node(draft.random.chance(70) ? "GlobalAveragePool" : "GlobalMaxPool", {x->id}),
             x->bound);
  return true;
}

bool make_batch_norm(Draft& draft) {
  const auto x = draft.any_of_rank(2, 4);
  if (!x) return false;
  const auto channels = draft.sizes(x->id)[1];
  const auto scale = draft.floats({channels}, 1), bias = draft.floats({channels}, 1);
  const auto mean = draft.floats({channels}, 1);
  std::vector<float> variances(static_cast<std::size_t>(channels));
  for (auto& each : variances) each = 1.5F + draft.random.real();
  const auto variance = draft.reals(variances);
  const auto id =
      draft.node("BatchNormalization", {x->id, scale, bias, mean, variance}, {{"epsilon", 0.01F}});
  draft.keep(id, 2 * (x->bound + 1) + 1);
  return true;
}

/// Epsilon is large: a row whose values are nearly equal would make rounding visible otherwise.
bool make_layer_norm(Draft& draft) {
  if (draft.opset() < 17) return false;
  const auto x = draft.any_of_rank(draft.first_axis() + 1);
  if (!x) return false;
  const auto sizes = draft.sizes(x->id);
  std::vector<ValueId> inputs = {x->id, draft.floats({sizes.back()}, 1)};
  if (draft.random.chance(60)) inputs.push_back(draft.floats({sizes.back()}, 1));
  draft.keep(
      draft.node("LayerNormalization", inputs, {{"axis", std::int64_t{-1}}, {"epsilon", 0.1F}}),
      std::sqrt(static_cast<double>(sizes.back())) + 1);
  return true;
}

bool make_instance_norm(Draft& draft) {
  const auto x = draft.any_of_rank(3, 4);
  if (!x) return false;
  const auto sizes = draft.sizes(x->id);
  const auto channels = sizes[1];
  const auto id = draft.node("InstanceNormalization",
                             {x->id, draft.floats({channels}, 1), draft.floats({channels}, 1)},
                             {{"epsilon", 0.1F}});
  const auto each = static_cast<double>(draft.elements({sizes.begin() + 2, sizes.end()}));
  draft.keep(id, std::sqrt(each) + 1);
  return true;
}

bool make_softmax(Draft& draft) {
  const auto x = draft.any_of_rank(draft.first_axis() + 1);
  if (!x) return false;
  const bool log = draft.random.chance(30);
  const auto axis = draft.any_axis(x->id);
  const auto size = static_cast<double>(draft.sizes(x->id)[static_cast<std::size_t>(axis)]);
  draft.keep(draft.node(log ? "LogSoftmax" : "Softmax", {x->id}, {{"axis", axis}}),
             log ? 2 * x->bound + std::log(size) : 1);
  return true;
}

bool make_product(Draft& draft) {
  const auto x = draft.any_of_rank(2);
  if (!x) return false;
  const auto terms = draft.sizes(x->id).back();
  const auto weights = draft.floats({terms, draft.random.between(1, 8)}, weight_scale(terms));
  const auto id = draft.node("MatMul", {x->id, weights});
  if (!draft.fits(draft.sizes(id))) return false;
  draft.keep(id, sum_bound(terms, x->bound));
  return true;
}

/// Two computed matrices, as in attention: x times its own transpose.
bool make_self_product(Draft& draft) {
  const auto x = draft.any_of_rank(draft.first_axis() + 2, 4);
  if (!x) return false;
  auto sizes = draft.sizes(x->id);
  const auto rank = sizes.size();
  Sizes order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(i);
  std::swap(order[rank - 1], order[rank - 2]);
  const auto terms = static_cast<double>(sizes.back());
  sizes.back() = sizes[rank - 2];
  if (!draft.fits(sizes)) return false;
  const auto turned = draft.node("Transpose", {x->id}, {{"perm", order}});
  draft.keep(draft.node("MatMul", {x->id, turned}), terms * x->bound * x->bound);
  return true;
}

bool make_gemm(Draft& draft) {
  const auto x = draft.any_of_rank(2, 2);
  if (!x) return false;
  const auto sizes = draft.sizes(x->id);
  const bool turn_a = draft.first_axis() == 0 && draft.random.chance(30);
  const bool turn_b = draft.random.chance(50);
  const auto terms = turn_a ? sizes[0] : sizes[1];
  const auto outputs = draft.random.between(1, 8);
  const auto b =
      draft.floats(turn_b ? Sizes{outputs, terms} : Sizes{terms, outputs}, weight_scale(terms));
  std::vector<ValueId> inputs = {x->id, b};
  if (draft.random.chance(70)) inputs.push_back(draft.floats({outputs}, 1));
  const auto id = draft.node("Gemm", inputs,
                             {{"alpha", 0.5F},
                              {"beta", 0.75F},
                              {"transA", std::int64_t{turn_a}},
                              {"transB", std::int64_t{turn_b}}});
  draft.keep(id, sum_bound(terms, x->bound) / 2 + 1);
  return true;
}

bool make_resize(Draft& draft) {
  const auto x = draft.any_of_rank(4, 4);
  if (!x) return false;
  auto sizes = draft.sizes(x->id);
  sizes[2] *= 2;
  sizes[3] *= 2;
  if (!draft.fits(sizes)) return false;
  const bool linear = draft.random.chance(50);
  Attributes attributes = {
      {"mode", std::string(linear ? "linear" : "nearest")},
      {"coordinate_transformation_mode", std::string(linear ? "half_pixel" : "asymmetric")}};
  if (!linear) attributes["nearest_mode"] = std::string("floor");
  const auto id =
      draft.node("Resize", {x->id, graph::kNoValue, draft.reals({1, 1, 2, 2})}, attributes);
  draft.keep(id, x->bound);
  return true;
}

bool make_depth_to_space(Draft& draft) {
  const auto x = draft.any_of_rank(4, 4);
  if (!x || draft.sizes(x->id)[1] % 4 != 0) return false;
  static const std::vector<std::string> modes = {"DCR", "CRD"};
  draft.keep(draft.node("DepthToSpace", {x->id},
                        {{"blocksize", std::int64_t{2}}, {"mode", draft.random.pick(modes)}}),
             x->bound);
  return true;
}

bool make_space_to_depth(Draft& draft) {
  const auto x = draft.any_of_rank(4, 4);
  if (!x || draft.sizes(x->id)[2] % 2 != 0 || draft.sizes(x->id)[3] % 2 != 0) return false;
  draft.keep(draft.node("SpaceToDepth", {x->id}, {{"blocksize", std::int64_t{2}}}), x->bound);
  return true;
}

// Some more than once: likelier.
constexpr Maker kMakers[] = {
    make_conv,    make_conv,           make_conv,           make_conv_transpose, make_pool,
    make_pool,    make_global_pool,    make_batch_norm,     make_layer_norm,     make_instance_norm,
    make_softmax, make_product,        make_product,        make_self_product,   make_gemm,
    make_resize,  make_depth_to_space, make_space_to_depth,
};

}  // namespace

std::span<const Maker> neural_makers() {
  return kMakers;
}

}  // namespace inferometer::random_graphs
