// SPDX-License-Identifier: Apache-2.0
// Passes of several launches as one outcome. Internal.
#pragma once

#include <span>

#include "campaign/journal.hpp"

namespace inferometer::campaign {

/// Numbers are medians over the launches that have them, words are the last launch's. `blocks`: one
/// per launch.
void put_pass(std::span<const Block* const> blocks, measure::Outcome& outcome);

}  // namespace inferometer::campaign
