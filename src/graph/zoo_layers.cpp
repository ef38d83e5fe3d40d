// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo_layers.hpp"

#include <algorithm>
#include <cmath>

namespace inferometer::graph {

namespace {

using Ints = std::vector<std::int64_t>;

/// Estimates go through exp, whose last bit differs between C libraries; weights must not.
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

struct Moments {
  double mean = 0, variance = 0;
};

double logistic(double z) {
  return 1 / (1 + std::exp(-z));
}

/// Of f(z), z normally distributed: midpoints from -6 to 6 deviations.
template <class F>
Moments moments_of(const Signal& z, F f) {
  constexpr int kSteps = 240;
  const double deviation = std::sqrt(z.variance);
  double weight = 0, sum = 0, power = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double at = (i + 0.5) * 12 / kSteps - 6;
    const double density = std::exp(-at * at / 2);
    const double value = f(z.mean + at * deviation);
    weight += density;
    sum += density * value;
    power += density * value * value;
  }
  const double mean = sum / weight;
  return {coarse(mean), coarse(power / weight - mean * mean)};
}

std::vector<double> per_channel(const std::vector<double>& known, std::int64_t channels,
                                double all) {
  return known.empty() ? std::vector<double>(static_cast<std::size_t>(channels), all) : known;
}

/// Each entry of `centres` plus or minus at most `widths`.
Constant scattered(RandomStream stream, const std::vector<double>& centres,
                   const std::vector<double>& widths) {
  const auto count = static_cast<std::int64_t>(centres.size());
  auto unit = as_reals(uniform_constant(stream, {count}, -1, 1));
  std::vector<float> values(centres.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(centres[i] + unit[i] * widths[i]);
  }
  return make_constant<float>({count}, values);
}

/// What a constant input of `mean` gives in each channel of a depthwise convolution.
std::vector<double> depthwise_means(const Constant& weight, double mean) {
  const auto taps = as_reals(weight);
  const auto channels = static_cast<std::size_t>(weight.shape[0]);
  const auto window = taps.size() / channels;
  std::vector<double> means(channels);
  for (std::size_t i = 0; i < taps.size(); ++i) means[i / window] += mean * taps[i];
  return means;
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
  const float bias = spec.bias == Bias::Wide ? 1.0F : spec.bias == Bias::Small ? 0.05F : 0.0F;
  if (spec.bias != Bias::None) {
    operands.push_back(small(name + ".bias", spec.outputs, -bias, bias));
  }
  Builder::Attributes attributes = {{"kernel_shape", Ints{spec.kernel, spec.kernel}},
                                    {"strides", Ints{spec.stride, spec.stride}},
                                    {"pads", Ints(4, pad)},
                                    {"group", spec.groups}};
  const PoolSpec window{spec.kernel, spec.stride, pad};
  Signal y{builder_.node("Conv", operands, std::move(attributes), name),
           spec.outputs,
           pooled(x.height, window),
           pooled(x.width, window),
           0,
           spec.variance + bias * bias / 3};
  if (spec.groups != 1) y.channel_means = depthwise_means(weight, x.mean);
  return y;
}

Signal Layers::after(const Signal& x, const std::string& op, std::vector<ValueId> operands,
                     Builder::Attributes attributes, const std::string& name) {
  const auto id = builder_.node(op, std::move(operands), std::move(attributes), name);
  return {id, x.channels, x.height, x.width, x.mean, x.variance};
}

Signal Layers::batch_norm(const Signal& x, double gain) {
  const auto name = next_name("batch_norm");
  const auto scale = static_cast<float>(gain);
  const auto means = per_channel(x.channel_means, x.channels, x.mean);
  const auto variances = per_channel(x.channel_variances, x.channels, x.variance);
  auto tenth = variances, mean_width = variances;
  for (auto& width : tenth) width *= 0.1;
  for (auto& width : mean_width) width = 0.03 * std::sqrt(width);
  std::vector<ValueId> operands = {x.id};
  operands.push_back(small(name + ".scale", x.channels, 0.9F * scale, 1.1F * scale));
  operands.push_back(small(name + ".bias", x.channels, -0.03F * scale, 0.03F * scale));
  operands.push_back(
      builder_.constant(name + ".mean", scattered(next_stream(), means, mean_width)));
  operands.push_back(
      builder_.constant(name + ".variance", scattered(next_stream(), variances, tenth)));
  auto y = after(x, "BatchNormalization", operands, {{"epsilon", 1e-5F}}, name);
  y.mean = 0;
  y.variance = gain * gain;
  return y;
}

Signal Layers::relu(const Signal& x) {
  auto y = after(x, "Relu", {x.id}, {}, next_name("relu"));
  const auto moments = moments_of(x, [](double z) { return std::max(z, 0.0); });
  y.mean = moments.mean;
  y.variance = moments.variance;
  return y;
}

Signal Layers::sigmoid(const Signal& x) {
  auto y = after(x, "Sigmoid", {x.id}, {}, next_name("sigmoid"));
  const auto moments = moments_of(x, logistic);
  y.mean = moments.mean;
  y.variance = moments.variance;
  return y;
}

Signal Layers::swish(const Signal& x) {
  auto y = after(x, "Mul", {x.id, sigmoid(x).id}, {}, next_name("swish"));
  const auto moments = moments_of(x, [](double z) { return z * logistic(z); });
  y.mean = moments.mean;
  y.variance = moments.variance;
  return y;
}

Signal Layers::add(const Signal& a, const Signal& b) {
  auto y = after(a, "Add", {a.id, b.id}, {}, next_name("add"));
  y.mean += b.mean;
  y.variance += b.variance;
  return y;
}

Signal Layers::gated(const Signal& x, const Signal& gate) {
  auto y = after(x, "Mul", {x.id, gate.id}, {}, next_name("gated"));
  y.mean = x.mean * gate.mean;
  y.variance =
      x.variance * (gate.mean * gate.mean + gate.variance) + x.mean * x.mean * gate.variance;
  return y;
}

Signal Layers::concat(const std::vector<Signal>& parts) {
  Signal y{kNoValue, 0, parts[0].height, parts[0].width};
  double mean = 0, power = 0;
  std::vector<ValueId> ids;
  for (const auto& part : parts) {
    ids.push_back(part.id);
    const auto means = per_channel(part.channel_means, part.channels, part.mean);
    const auto variances = per_channel(part.channel_variances, part.channels, part.variance);
    y.channel_means.insert(y.channel_means.end(), means.begin(), means.end());
    y.channel_variances.insert(y.channel_variances.end(), variances.begin(), variances.end());
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
  y.channel_means.clear();
  y.channel_variances.clear();
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
  // Neighbours are alike: less is averaged away than of independent values.
  y.variance = 0.5 * x.variance;
  return y;
}

Signal Layers::global_average_pool(const Signal& x) {
  Signal y = x;
  y.id = builder_.node("GlobalAveragePool", {x.id}, {}, next_name("global_average_pool"));
  y.height = y.width = 1;
  // Part of the variance lies between channels and isn't averaged away.
  y.variance = x.variance * (0.1 + 1.0 / static_cast<double>(x.height * x.width));
  return y;
}

Signal Layers::flatten(const Signal& x) {
  Signal y = x;
  y.id = builder_.node("Flatten", {x.id}, {{"axis", std::int64_t{1}}}, next_name("flatten"));
  y.channels = x.channels * x.height * x.width;
  y.height = y.width = 1;
  y.channel_means.clear();
  y.channel_variances.clear();
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
