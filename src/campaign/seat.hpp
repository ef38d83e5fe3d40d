// SPDX-License-Identifier: Apache-2.0
// A contender's place in a launch: its worker, and the outcomes of its cells so far. Internal.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "campaign/session.hpp"

namespace inferometer::campaign {

struct Seat {
  const Entrant* entrant = nullptr;
  std::vector<measure::Outcome> cells;  ///< one per workload of the entrant
  std::unique_ptr<CellWorker> worker;   ///< loaded, checked and parked; null after a failure
  Info info;
};

/// Loads and checks one contender. A failure stands in the seat's cells.
Seat take_seat(Session& session, const Entrant& entrant);

/// The cell, ended by this error.
measure::Outcome failed_with(measure::Outcome cell, const std::string& stage, const Error& error);

/// Rows of golden outputs for batches of `rows`: as many as the largest batch has, up to the pool,
/// for in fewer swapped rows could hide.
std::int64_t golden_rows(const BenchOptions& options, std::int64_t rows);

/// One batch of its model's input rows, in pages that every worker reads.
const std::vector<Tensor>& batch_for(Session& session, const Seat& seat);

}  // namespace inferometer::campaign
