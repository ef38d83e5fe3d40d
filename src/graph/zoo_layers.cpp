// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo_layers.hpp"

#include <cmath>
#include <numbers>

namespace inferometer::graph {

namespace {

using Ints = std::vector<std::int64_t>;

/// Estimates go through exp and erf, whose last bit differs between C libraries; weights must not.
double coarse(double value) {
  return std::round(value * 4096) / 4096;
}

/// The share of a padded window's places that lie on the image, averaged over the output.
double covered_share(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                     std::int64_t pad) {
  const auto outputs = (size + 2 * pad - kernel) / stride + 1;
  std::int64_t inside = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const auto first = o * stride - pad;
    inside += std::min(size, first + kernel) - std::max<std::int64_t>(0, first);
  }
  return static_cast<double>(inside) / static_cast<double>(outputs * kernel);
}

std::int64_t pooled(std::int64_t size, const PoolSpec& spec) {
  return (size + 2 * spec.pad - spec.kernel) / spec.stride + 1;
}

Builder::Attributes pool_attributes(const PoolSpec& spec) {
  Builder::Attributes attributes = {{"kernel_shape", Ints{spec.kernel, spec.kernel}},
                                    {"strides", Ints{spec.stride, spec.stride}}};
  if (spec.pad != 0) attributes["pads"] = Ints(4, spec.pad);
  return attributes;
}

/// Sum of squares that a filter of unit weight variance sees, per input channel and place. Where
/// the window hangs over the border its weights no longer cancel the mean.
double seen_power(const Signal& x, std::int64_t kernel, std::int64_t stride) {
  const double covered = covered_share(x.height, kernel, stride, kernel / 2) *
                         covered_share(x.width, kernel, stride, kernel / 2);
  return covered * (x.variance + x.mean * x.mean * (1 - covered));
}

}  // namespace

Layers::Layers(const std::string& name, const ZooOptions& options)
    : builder_(name), seed_(options.seed), batch_(options.batch) {}

std::string Layers::next_name(const std::string& kind) {
  return kind + "_" + std::to_string(++counts_[kind]);
}

ValueId Layers::small(const std::string& name, std::int64_t count, float low, float high) {
  return builder_.constant(name, uniform_constant(next_stream(), {count}, low, high));
}

Signal Layers::input(const std::string& name, const Ints& sample_shape) {
  auto dims = fixed_dims(sample_shape);
  dims.insert(dims.begin(), batch_ ? Dim{*batch_, ""} : symbol_dim("N"));
  const auto id = builder_.input(name, DType::F32, std::move(dims));
  if (sample_shape.size() == 1) return {id, sample_shape[0]};
  return {id, sample_shape[0], sample_shape[1], sample_shape[2]};
}

Signal Layers::conv(const Signal& x, const ConvSpec& spec) {
  const auto name = next_name("conv");
  const auto inputs = x.channels / spec.groups;
  const auto pad = spec.kernel / 2;
  const double power = static_cast<double>(inputs * spec.kernel * spec.kernel) *
                       seen_power(x, spec.kernel, spec.stride);
  const double deviation = std::sqrt(spec.variance / power);
  const Ints shape = {spec.outputs, inputs, spec.kernel, spec.kernel};
  // A depthwise filter is too short to be centred: that would make each of them an edge detector.
  const auto range = static_cast<float>(std::sqrt(3.0) * deviation);
  const auto weight = spec.groups == 1 ? centred_filters(next_stream(), shape, deviation)
                                       : uniform_constant(next_stream(), shape, -range, range);
  std::vector<ValueId> operands = {x.id, builder_.constant(name + ".weight", weight)};
  if (spec.bias != Bias::None) {
    const float width = spec.bias == Bias::Wide ? 1.0F : 0.05F;
    operands.push_back(small(name + ".bias", spec.outputs, -width, width));
  }
  Builder::Attributes attributes = {{"kernel_shape", Ints{spec.kernel, spec.kernel}},
                                    {"strides", Ints{spec.stride, spec.stride}},
                                    {"pads", Ints(4, pad)},
                                    {"group", spec.groups}};
  const PoolSpec window{spec.kernel, spec.stride, pad};
  return {builder_.node("Conv", operands, std::move(attributes), name),
          spec.outputs,
          pooled(x.height, window),
          pooled(x.width, window),
          0,
          spec.variance};
}

Signal Layers::batch_norm(const Signal& x, double gain) {
  const auto name = next_name("batch_norm");
  const auto deviation = static_cast<float>(std::sqrt(x.variance));
  const auto mean = static_cast<float>(x.mean);
  const auto variance = static_cast<float>(x.variance);
  const auto scale = static_cast<float>(gain);
  std::vector<ValueId> operands = {x.id};
  operands.push_back(small(name + ".scale", x.channels, 0.9F * scale, 1.1F * scale));
  operands.push_back(small(name + ".bias", x.channels, -0.1F * scale, 0.1F * scale));
  operands.push_back(
      small(name + ".mean", x.channels, mean - 0.1F * deviation, mean + 0.1F * deviation));
  operands.push_back(small(name + ".variance", x.channels, 0.9F * variance, 1.1F * variance));
  Signal y = x;
  y.id = builder_.node("BatchNormalization", operands, {{"epsilon", 1e-5F}}, name);
  y.mean = 0;
  y.variance = gain * gain;
  return y;
}

Signal Layers::relu(const Signal& x) {
  Signal y = x;
  y.id = builder_.node("Relu", {x.id}, {}, next_name("relu"));
  const double deviation = std::sqrt(x.variance);
  const double at = x.mean / deviation;
  const double density = std::exp(-at * at / 2) / std::sqrt(2 * std::numbers::pi);
  const double below = std::erfc(-at / std::numbers::sqrt2) / 2;
  y.mean = coarse(x.mean * below + deviation * density);
  const double power = (x.mean * x.mean + x.variance) * below + x.mean * deviation * density;
  y.variance = coarse(power - y.mean * y.mean);
  return y;
}

Signal Layers::sigmoid(const Signal& x) {
  Signal y = x;
  y.id = builder_.node("Sigmoid", {x.id}, {}, next_name("sigmoid"));
  y.mean = 0.5;
  y.variance = x.variance / 20;
  return y;
}

Signal Layers::swish(const Signal& x) {
  Signal y = x;
  y.id = builder_.node("Mul", {x.id, sigmoid(x).id}, {}, next_name("swish"));
  // Moments of z * sigmoid(z), z ~ N(0,1).
  y.mean = 0.2066 * std::sqrt(x.variance);
  y.variance = 0.3130 * x.variance;
  return y;
}

Signal Layers::add(const Signal& a, const Signal& b) {
  Signal y = a;
  y.id = builder_.node("Add", {a.id, b.id}, {}, next_name("add"));
  y.mean += b.mean;
  y.variance += b.variance;
  return y;
}

Signal Layers::gated(const Signal& x, const Signal& gate) {
  Signal y = x;
  y.id = builder_.node("Mul", {x.id, gate.id}, {}, next_name("gated"));
  y.mean = x.mean * gate.mean;
  y.variance =
      x.variance * (gate.mean * gate.mean + gate.variance) + x.mean * x.mean * gate.variance;
  return y;
}

Signal Layers::concat(const std::vector<Signal>& parts) {
  Signal y = parts[0];
  y.channels = 0;
  double mean = 0, power = 0;
  std::vector<ValueId> ids;
  for (const auto& part : parts) {
    ids.push_back(part.id);
    const auto channels = static_cast<double>(part.channels);
    mean += channels * part.mean;
    power += channels * (part.variance + part.mean * part.mean);
    y.channels += part.channels;
  }
  y.mean = mean / static_cast<double>(y.channels);
  y.variance = power / static_cast<double>(y.channels) - y.mean * y.mean;
  y.id = builder_.node("Concat", ids, {{"axis", std::int64_t{1}}}, next_name("concat"));
  return y;
}

Signal Layers::max_pool(const Signal& x, const PoolSpec& spec) {
  Signal y = x;
  y.id = builder_.node("MaxPool", {x.id}, pool_attributes(spec), next_name("max_pool"));
  y.height = pooled(x.height, spec);
  y.width = pooled(x.width, spec);
  // After ReLU of N(0, s^2): the greatest of 4 or 9 independent values, in units of s.
  const double unit = x.variance / 0.3408;
  y.mean = (spec.kernel == 2 ? 1.04 : 1.485) * std::sqrt(unit);
  y.variance = (spec.kernel == 2 ? 0.45 : 0.357) * unit;
  return y;
}

Signal Layers::average_pool(const Signal& x, const PoolSpec& spec) {
  Signal y = x;
  y.id = builder_.node("AveragePool", {x.id}, pool_attributes(spec), next_name("average_pool"));
  y.height = pooled(x.height, spec);
  y.width = pooled(x.width, spec);
  y.variance = x.variance / static_cast<double>(spec.kernel * spec.kernel);
  return y;
}

Signal Layers::global_average_pool(const Signal& x) {
  Signal y = x;
  y.id = builder_.node("GlobalAveragePool", {x.id}, {}, next_name("global_average_pool"));
  y.height = y.width = 1;
  y.variance = x.variance / static_cast<double>(x.height * x.width);
  return y;
}

Signal Layers::flatten(const Signal& x) {
  Signal y = x;
  y.id = builder_.node("Flatten", {x.id}, {{"axis", std::int64_t{1}}}, next_name("flatten"));
  y.channels = x.channels * x.height * x.width;
  y.height = y.width = 1;
  return y;
}

Signal Layers::gemm(const Signal& x, std::int64_t outputs, double variance) {
  const auto name = next_name("gemm");
  const double deviation = std::sqrt(variance / (static_cast<double>(x.channels) * x.variance));
  const auto weight = builder_.constant(
      name + ".weight", centred_filters(next_stream(), {outputs, x.channels}, deviation));
  const auto bias = small(name + ".bias", outputs, -0.05F, 0.05F);
  const auto y = builder_.node("Gemm", {x.id, weight, bias}, {{"transB", std::int64_t{1}}}, name);
  return {y, outputs, 1, 1, 0, variance};
}

void Layers::classify(const Signal& features, std::int64_t classes, double spread,
                      const std::string& name) {
  const auto logits = gemm(features, classes, spread * spread);
  builder_.output(builder_.node("Softmax", {logits.id}, {{"axis", std::int64_t{1}}}, "softmax"),
                  name);
}

}  // namespace inferometer::graph
