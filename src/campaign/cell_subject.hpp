// SPDX-License-Identifier: Apache-2.0
// A contender as the schedule sees it: blocks of its worker, for one or two of its cells. Internal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "campaign/seat.hpp"
#include "measure/schedule.hpp"
#include "measure/tasks.hpp"

namespace inferometer::campaign {

/// Throughput and latency of one contender are two readings of the same blocks when its batches
/// follow each other (in_flight 1). With more in flight a batch's latency is that of a batch alone.
class CellSubject : public measure::Subject {
 public:
  enum class Kind { Stream, OneByOne };
  /// What the first batch after waking is to become.
  enum class FirstBatch { Timed, Unseen };
  /// The seat's worker must outlive it.
  CellSubject(const Seat& seat, std::vector<std::string> cell_ids, Kind kind, FirstBatch first);

  measure::BlockTimings run_block(std::int64_t batches) override;
  void resume() override { seat_.worker->wake(); }
  void pause() override { seat_.worker->park(); }

  /// Its own cells end with this error, not the seat's others: what loading told is whole, and
  /// passes have processes of their own.
  std::vector<measure::Outcome> failed(const Error& error) const;
  /// The journal's form of a block that it ran.
  Block journal_block(const measure::BlockTimings& timings) const;
  const Seat& seat() const noexcept { return seat_; }
  /// Of all blocks, those of warming up too.
  std::int64_t wall_ns() const noexcept { return wall_ns_; }
  /// Which tasks of the worker used the CPUs since the subject was made, over `wall_ns` of blocks;
  /// none: no block ran, or the worker died.
  std::optional<Block> use(std::int64_t wall_ns) const;

 private:
  measure::BlockTimings one_block(std::int64_t batches);

  const Seat& seat_;
  std::vector<std::string> cell_ids_;
  Kind kind_;
  FirstBatch first_;
  std::int64_t wall_ns_ = 0;
  std::vector<measure::TaskTime> before_;
};

using Subjects = std::vector<std::unique_ptr<CellSubject>>;

/// Over all blocks of a worker: one alone is too short for the kernel's ticks.
std::vector<Block> task_use(const Subjects& subjects);

/// Of the seats that have a worker and cells to be timed.
Subjects subjects_of(const Session& session, const std::vector<Seat>& seats);

}  // namespace inferometer::campaign
