// SPDX-License-Identifier: Apache-2.0
// What a random graph grows by. A maker adds one idea (often one node) or says that nothing in the
// pool suits it.
#pragma once

#include <span>

#include "draft.hpp"

namespace inferometer::random_graphs {

using Maker = bool (*)(Draft&);

std::span<const Maker> elementwise_makers();
std::span<const Maker> layout_makers();
std::span<const Maker> neural_makers();

}  // namespace inferometer::random_graphs
