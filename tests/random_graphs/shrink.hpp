// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "generator.hpp"

namespace inferometer::random_graphs {

/// A smaller graph for which `fails` still holds: one output, as early as possible, and computed
/// values replaced by inputs as long as that works. `fails` is asked once per output and node and
/// round.
RandomGraph shrink(RandomGraph graph, const std::function<bool(const RandomGraph&)>& fails);

}  // namespace inferometer::random_graphs
