// SPDX-License-Identifier: Apache-2.0
// Interleaving. Cells measured one after the other differ by the machine's mood; cells measured in
// turns, in short blocks, share it. A round is one block of every cell of a group, in a random
// order; the canary runs between rounds; blocks are never pooled across rounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "measure/canary.hpp"

namespace inferometer::measure {

/// A short burst of consecutive batches of one cell.
struct BlockTimings {
  std::int64_t wall_ns = 0;
  std::int64_t samples = 0;
  std::int64_t batches = 0;
  std::vector<std::int64_t> timings_ns;  ///< one per batch, or one for all of them
  std::int64_t cpu_ns = 0;               ///< CPU time of the subject in wall_ns
};

/// A cell as the schedule sees it. Errors pass through to the caller.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual BlockTimings run_block(std::int64_t batches) = 0;
  virtual void resume() = 0;  ///< before its block
  virtual void pause() = 0;   ///< after its block; also after a failure
};

/// What happened to one cell in one round; `failure` is set when the block threw.
struct BlockRecord {
  std::size_t subject = 0;  ///< index in the group
  BlockTimings block;
  std::exception_ptr failure;
};

/// One block of every cell, in the order in which they ran.
struct RoundRecord {
  std::int64_t round = 0;  ///< from 1
  /// Of rounds that share a canary the first has `before` and the last has `after`.
  std::optional<CanaryReading> before, after;
  bool rejected = false;  ///< kept all the same: nothing is thrown away silently
  std::vector<BlockRecord> blocks;
};

inline constexpr std::int64_t kBlockNs = 60'000'000;

struct ScheduleOptions {
  std::int64_t rounds = 8;           ///< fixed in advance, no optional stopping
  std::int64_t block_ns = kBlockNs;  ///< aim, 20-100 ms; a block is whole batches, at least one
  std::int64_t warm_up_batches = 3;  ///< both, whichever is longer
  std::int64_t warm_up_ns = 500'000'000;
  std::uint64_t seed = 1;
  std::int64_t most_batches = 1'000'000;  ///< in one block: their timings are kept
  std::int64_t rounds_per_canary = 1;     ///< that are told, and rejected, together
};

/// The seams: tests pass their own. No canary: rounds are never rejected.
struct ScheduleHooks {
  std::function<std::int64_t()> now_ns;
  std::function<std::optional<CanaryReading>()> canary;
  std::function<void(const RoundRecord&)> on_round;  ///< once its canary has run: for the journal
};

struct ScheduleResult {
  std::vector<std::int64_t> batches;         ///< per block, by subject
  std::vector<std::exception_ptr> failures;  ///< by subject; null = it lived
  std::vector<CanaryReading> canary;
  std::int64_t rounds = 0;  ///< that are whole
  bool stopped = false;     ///< the token asked
};

/// Order of `count` cells in `round`: a seeded permutation, the same on every machine.
std::vector<std::size_t> round_order(std::size_t count, std::uint64_t seed, std::int64_t round);

/// Whole batches nearest to the aim, at least one.
std::int64_t batches_per_block(std::int64_t batch_ns, std::int64_t block_ns);

/// Warms up every subject, sizes its blocks, then runs the rounds. A subject that throws is left
/// out of later rounds, the control too; without any left the rounds end. A stop request ends the
/// run after the current block; a round that isn't whole is not reported.
ScheduleResult run_schedule(std::span<Subject* const> subjects, const ScheduleOptions& options,
                            const ScheduleHooks& hooks, std::stop_token stop = {});

}  // namespace inferometer::measure
