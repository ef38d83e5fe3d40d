// SPDX-License-Identifier: Apache-2.0
// M(b) = m0 + m1 b: what a batch's rows cost, from cells that differ by the batch alone. Internal.
#pragma once

#include <vector>

#include "measure/outcome.hpp"

namespace inferometer::campaign {

/// Gives every measured memory outcome of such a family memory_fit_base_bytes (m0) and
/// memory_fit_row_bytes (m1), from the higher of load and run peak; null with the reason for fewer
/// than two batch sizes.
void put_memory_fits(std::vector<measure::Outcome>& outcomes);

}  // namespace inferometer::campaign
