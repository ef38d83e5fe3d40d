// SPDX-License-Identifier: Apache-2.0
// Seeded weights: the same bits on every platform, whatever the order in which they are made.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// A stream of uniform numbers; element i depends only on (seed, stream, i).
struct RandomStream {
  std::uint64_t seed = 1;
  std::uint64_t stream = 0;
};

/// Uniform in [low, high).
Constant uniform_constant(RandomStream stream, std::vector<std::int64_t> shape, float low,
                          float high);

/// Filters [outputs, ...] with zero mean over each filter and the given standard deviation: a
/// signal that is the same everywhere (what ReLU adds) then doesn't pass, so that activations of
/// different inputs stay different however deep the network is.
Constant centred_filters(RandomStream stream, std::vector<std::int64_t> shape, double deviation);

}  // namespace inferometer::graph
