// SPDX-License-Identifier: Apache-2.0
// From a journal's raw lines to outcomes: summaries are always derived again, never trusted.
#pragma once

#include <string>
#include <vector>

#include "campaign/journal.hpp"

namespace inferometer::campaign {

/// One outcome per cell that a launch met, in order of first appearance. Launches that ran to their
/// end count; when a cell has none, the one with most rounds does, and a warning says so. A cell
/// that failed in any launch has failed; the figures of its whole launches stand beside the
/// failure.
std::vector<measure::Outcome> summarise(const Journal& journal);

/// Launches of this cell that ran to their end.
std::int64_t complete_launches(const Journal& journal, const std::string& cell_id);

/// The failure that a cell ended with, if it did: it is not tried again.
const measure::Outcome* failure_of(const Journal& journal, const std::string& cell_id);

}  // namespace inferometer::campaign
