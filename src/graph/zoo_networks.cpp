// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo_networks.hpp"

#include <array>

namespace inferometer::graph {

namespace {

constexpr std::int64_t kClasses = 1000;
/// Swish grows faster than its input beyond this deviation, so that small errors of our estimates
/// would build up from block to block.
constexpr double kSwishGain = 0.4;

Signal conv_bn_relu(Layers& net, const Signal& x, const ConvSpec& spec) {
  return net.relu(net.batch_norm(net.conv(x, spec)));
}

/// ResNet v1.5: the 3x3 convolution strides.
Signal bottleneck(Layers& net, const Signal& x, std::int64_t width, std::int64_t stride,
                  bool first) {
  constexpr double kBranchGain = 0.5;
  auto y = conv_bn_relu(net, x, {.outputs = width});
  y = conv_bn_relu(net, y, {.outputs = width, .kernel = 3, .stride = stride});
  y = net.batch_norm(net.conv(y, {.outputs = 4 * width}), kBranchGain);
  const auto shortcut =
      first ? net.batch_norm(net.conv(x, {.outputs = 4 * width, .stride = stride})) : x;
  return net.relu(net.add(y, shortcut));
}

Signal dense_layer(Layers& net, const Signal& x) {
  constexpr std::int64_t kGrowth = 32;
  auto y = net.conv(net.relu(net.batch_norm(x)), {.outputs = 4 * kGrowth});
  return net.conv(net.relu(net.batch_norm(y)), {.outputs = kGrowth, .kernel = 3});
}

/// Squeeze and excitation; `narrow` channels between.
Signal excited(Layers& net, const Signal& x, std::int64_t narrow) {
  constexpr double kGateVariance = 0.1;
  auto gate = net.global_average_pool(x);
  gate = net.swish(
      net.conv(gate, {.outputs = narrow, .bias = Bias::Small, .variance = kGateVariance}));
  gate = net.sigmoid(
      net.conv(gate, {.outputs = x.channels, .bias = Bias::Wide, .variance = kGateVariance}));
  return net.gated(x, gate);
}

struct MbStage {
  std::int64_t expand, kernel, stride, outputs, repeats;
};

Signal mb_block(Layers& net, const Signal& x, const MbStage& stage, std::int64_t stride) {
  auto y = x;
  const auto wide = x.channels * stage.expand;
  if (stage.expand != 1) y = net.swish(net.batch_norm(net.conv(y, {.outputs = wide}), kSwishGain));
  y = net.conv(y, {.outputs = wide, .kernel = stage.kernel, .stride = stride, .groups = wide});
  y = net.swish(net.batch_norm(y, kSwishGain));
  y = excited(net, y, std::max<std::int64_t>(1, x.channels / 4));
  y = net.batch_norm(net.conv(y, {.outputs = stage.outputs}));
  return stride == 1 && x.channels == stage.outputs ? net.add(y, x) : y;
}

}  // namespace

// The last number of each network is the spread asked of its logits, chosen so that about 2 comes
// out: how much of the features' variance survives global pooling differs between networks.

Graph vgg19(const ZooOptions& options, std::int64_t size) {
  struct Stage {
    std::int64_t width, convs;
  };
  constexpr std::array kStages = {Stage{64, 2}, Stage{128, 2}, Stage{256, 4}, Stage{512, 4},
                                  Stage{512, 4}};
  Layers net("vgg19", options);
  auto x = net.input("input", {3, size, size});
  for (const auto& stage : kStages) {
    for (std::int64_t i = 0; i < stage.convs; ++i) {
      x = net.relu(net.conv(x, {.outputs = stage.width, .kernel = 3, .bias = Bias::Small}));
    }
    x = net.max_pool(x, {});
  }
  x = net.flatten(x);
  x = net.relu(net.gemm(x, 4096));
  x = net.relu(net.gemm(x, 4096));
  net.classify(x, kClasses, 2.0, "output");
  return net.build();
}

Graph resnet50(const ZooOptions& options, std::int64_t size) {
  struct Stage {
    std::int64_t width, blocks, stride;
  };
  constexpr std::array kStages = {Stage{64, 3, 1}, Stage{128, 4, 2}, Stage{256, 6, 2},
                                  Stage{512, 3, 2}};
  Layers net("resnet50", options);
  auto x = net.input("input", {3, size, size});
  x = conv_bn_relu(net, x, {.outputs = 64, .kernel = 7, .stride = 2});
  x = net.max_pool(x, {.kernel = 3, .stride = 2, .pad = 1});
  for (const auto& stage : kStages) {
    for (std::int64_t i = 0; i < stage.blocks; ++i) {
      x = bottleneck(net, x, stage.width, i == 0 ? stage.stride : 1, i == 0);
    }
  }
  net.classify(net.flatten(net.global_average_pool(x)), kClasses, 2.0, "output");
  return net.build();
}

Graph densenet201(const ZooOptions& options, std::int64_t size) {
  constexpr std::array<int, 4> kBlocks = {6, 12, 48, 32};
  Layers net("densenet201", options);
  auto x = net.input("input", {3, size, size});
  x = conv_bn_relu(net, x, {.outputs = 64, .kernel = 7, .stride = 2});
  x = net.max_pool(x, {.kernel = 3, .stride = 2, .pad = 1});
  for (std::size_t block = 0; block < kBlocks.size(); ++block) {
    for (int i = 0; i < kBlocks[block]; ++i) x = net.concat({x, dense_layer(net, x)});
    x = net.relu(net.batch_norm(x));
    if (block + 1 == kBlocks.size()) break;
    x = net.average_pool(net.conv(x, {.outputs = x.channels / 2}), {});
  }
  net.classify(net.flatten(net.global_average_pool(x)), kClasses, 4.0, "output");
  return net.build();
}

Graph efficientnet_b0(const ZooOptions& options, std::int64_t size) {
  constexpr std::array kStages = {MbStage{1, 3, 1, 16, 1},  MbStage{6, 3, 2, 24, 2},
                                  MbStage{6, 5, 2, 40, 2},  MbStage{6, 3, 2, 80, 3},
                                  MbStage{6, 5, 1, 112, 3}, MbStage{6, 5, 2, 192, 4},
                                  MbStage{6, 3, 1, 320, 1}};
  Layers net("efficientnet_b0", options);
  auto x = net.input("input", {3, size, size});
  x = net.swish(net.batch_norm(net.conv(x, {.outputs = 32, .kernel = 3, .stride = 2}), kSwishGain));
  for (const auto& stage : kStages) {
    for (std::int64_t i = 0; i < stage.repeats; ++i) {
      x = mb_block(net, x, stage, i == 0 ? stage.stride : 1);
    }
  }
  x = net.swish(net.batch_norm(net.conv(x, {.outputs = 1280}), kSwishGain));
  net.classify(net.flatten(net.global_average_pool(x)), kClasses, 1.0, "output");
  return net.build();
}

}  // namespace inferometer::graph
