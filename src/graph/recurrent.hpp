// SPDX-License-Identifier: Apache-2.0
// What shape inference and kernels of LSTM, GRU and RNN share.
#pragma once

#include <cstdint>

#include "graph/node_view.hpp"

namespace inferometer::graph {

/// Rows of weights for one hidden unit: 4 (LSTM), 3 (GRU), 1 (RNN).
std::int64_t recurrent_gates(const NodeView& at);
/// 1, or 2 when bidirectional. Throws Error{Invalid} for another word.
std::int64_t recurrent_directions(const NodeView& at);

}  // namespace inferometer::graph
