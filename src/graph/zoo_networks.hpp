// SPDX-License-Identifier: Apache-2.0
// One function per network of the zoo. `size` is checked by the caller.
#pragma once

#include "graph/zoo_layers.hpp"

namespace inferometer::graph {

Graph vgg19(const ZooOptions& options, std::int64_t size);
Graph resnet50(const ZooOptions& options, std::int64_t size);
Graph densenet201(const ZooOptions& options, std::int64_t size);
Graph efficientnet_b0(const ZooOptions& options, std::int64_t size);
Graph tiny_cnn(const ZooOptions& options, std::int64_t size);
Graph tiny_mlp(const ZooOptions& options);
Graph two_in_two_out(const ZooOptions& options);

}  // namespace inferometer::graph
