// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo_networks.hpp"

namespace inferometer::graph {

Graph tiny_cnn(const ZooOptions& options, std::int64_t size) {
  constexpr std::int64_t kWidth = 16;
  Layers net("tiny_cnn", options);
  auto x = net.input("input", {3, size, size});
  x = net.relu(net.batch_norm(net.conv(x, {.outputs = kWidth, .kernel = 3})));
  x = net.max_pool(x, {});
  x = net.conv(x, {.outputs = kWidth, .kernel = 3, .groups = kWidth});
  x = net.relu(net.batch_norm(x));
  const auto narrow = net.conv(x, {.outputs = kWidth, .bias = Bias::Small});
  const auto wide = net.conv(x, {.outputs = kWidth, .kernel = 3, .bias = Bias::Small});
  x = net.max_pool(net.relu(net.concat({narrow, wide})), {});
  x = net.average_pool(x, {});
  net.classify(net.flatten(x), 10, 1.5, "output");
  return net.build();
}

Graph tiny_mlp(const ZooOptions& options) {
  Layers net("tiny_mlp", options);
  auto x = net.input("input", {16});
  x = net.relu(net.gemm(x, 32));
  x = net.relu(net.gemm(x, 32));
  net.output(net.gemm(x, 10), "output");
  return net.build();
}

Graph two_in_two_out(const ZooOptions& options) {
  Layers net("two_in_two_out", options);
  const auto image = net.input("image", {1, 8, 8});
  const auto features = net.input("features", {4});
  const auto seen = net.relu(net.conv(image, {.outputs = 4, .kernel = 3, .bias = Bias::Small}));
  net.output(net.sigmoid(net.conv(seen, {.outputs = 1})), "mask");
  net.classify(net.concat({net.flatten(seen), features}), 3, 1.5, "scores");
  return net.build();
}

}  // namespace inferometer::graph
