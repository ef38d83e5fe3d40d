// SPDX-License-Identifier: Apache-2.0
// The paper's four networks and three small ones, written by us with seeded weights that keep
// activations sane.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

struct ZooOptions {
  std::optional<std::int64_t> batch;       ///< none: a dynamic batch "N"
  std::optional<std::int64_t> image_size;  ///< height and width; none: the network's own (224)
  std::uint64_t seed = 1;
};

struct ZooEntry {
  std::string name;  ///< "vgg19", "resnet50", "densenet201", "efficientnet_b0", "tiny_cnn",
                     ///< "tiny_mlp", "two_in_two_out"
  std::string description;
};
const std::vector<ZooEntry>& zoo_entries();

/// Throws Error{Invalid} for an unknown name (with the nearest) or a size that the network can't
/// take (with the least).
Graph zoo(const std::string& name, const ZooOptions& options = {});

}  // namespace inferometer::graph
