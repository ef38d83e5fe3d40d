// SPDX-License-Identifier: Apache-2.0
// What one launch says of one cell. Internal: journals are summarised life by life.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaign/journal.hpp"
#include "measure/canary.hpp"

namespace inferometer::campaign {

struct Life {
  const Launch* launch = nullptr;
  const LaunchEnd* end = nullptr;    ///< null: the launch was killed
  std::vector<const Round*> rounds;  ///< with a block of the cell; round 0 = passes
  bool complete = false;
};

/// In the order of their launches. They point into the journal.
std::vector<Life> lives_of(const Journal& journal, const std::string& cell_id);

/// Throughput and latency are measured in rounds, the others in passes.
bool timed(const std::string& workload);

/// Whether a cell of a launch has the blocks that it was to have.
bool is_complete(const Launch& launch, const measure::Outcome& cell, std::size_t blocks);

/// Null: there is none.
const Block* block_of(const Round& round, const std::string& cell_id);
const measure::Outcome* cell_of(const Launch& launch, const std::string& cell_id);

/// Of the canary "before" or "after" a round.
std::optional<measure::CanaryReading> reading_of(const Round& round, const char* when);

/// Rounds that count: those the canary didn't reject, or all when it rejected every one.
std::vector<const Round*> kept_rounds(const Life& life);

/// The machine and its state before and after; and, for what is measured in rounds, what measuring
/// itself took of it, with a warning where that is too much.
void put_environment(const Journal& journal, const std::vector<Life>& lives,
                     measure::Outcome& outcome);

}  // namespace inferometer::campaign
