// SPDX-License-Identifier: Apache-2.0
#include "campaign/cell_subject.hpp"

#include <algorithm>

namespace inferometer::campaign {
namespace {

// Nothing is dropped unless a profile of this machine found the engine's first batch biased.
CellSubject::FirstBatch first_batch_of(const Session& session, const Seat& seat) {
  const auto* facts = session.profile ? facts_of(*session.profile, seat.info.engine) : nullptr;
  return facts && facts->version == seat.info.engine_version && facts->first_batch_biased()
             ? CellSubject::FirstBatch::Unseen
             : CellSubject::FirstBatch::Timed;
}

void add_subjects(const Session& session, const Seat& seat, Subjects& subjects) {
  if (!seat.worker) return;
  std::vector<std::string> together, apart;
  const bool one_by_one = integer_param(seat.info.requested, "in_flight", 1) > 1;
  for (const auto& cell : seat.cells) {
    if (cell.cell.workload == "throughput") together.push_back(cell.cell_id);
    if (cell.cell.workload == "latency") (one_by_one ? apart : together).push_back(cell.cell_id);
  }
  const auto first = first_batch_of(session, seat);
  const auto add = [&](std::vector<std::string> cell_ids, CellSubject::Kind kind) {
    if (!cell_ids.empty())
      subjects.push_back(std::make_unique<CellSubject>(seat, std::move(cell_ids), kind, first));
  };
  add(std::move(together), CellSubject::Kind::Stream);
  add(std::move(apart), CellSubject::Kind::OneByOne);
}

}  // namespace

Subjects subjects_of(const Session& session, const std::vector<Seat>& seats) {
  Subjects subjects;
  for (const auto& seat : seats) add_subjects(session, seat, subjects);
  return subjects;
}

CellSubject::CellSubject(const Seat& seat, std::vector<std::string> cell_ids, Kind kind,
                         FirstBatch first)
    : seat_(seat),
      cell_ids_(std::move(cell_ids)),
      kind_(kind),
      first_(first),
      before_(seat.worker->tasks()) {}

measure::BlockTimings CellSubject::one_block(std::int64_t batches) {
  auto report = seat_.worker->block(batches, process::Poison::Off);
  wall_ns_ += report.wall_ns;
  return {report.wall_ns, report.samples, report.batches, std::move(report.timings_ns),
          report.cpu_ns};
}

measure::BlockTimings CellSubject::run_block(std::int64_t batches) {
  if (first_ == FirstBatch::Unseen) one_block(1);
  if (kind_ == Kind::Stream) return one_block(batches);
  measure::BlockTimings all;
  for (std::int64_t i = 0; i < batches; ++i) {
    const auto block = one_block(1);
    all.wall_ns += block.wall_ns;
    all.samples += block.samples;
    all.batches += block.batches;
    all.cpu_ns += block.cpu_ns;
    all.timings_ns.push_back(block.wall_ns);
  }
  return all;
}

std::vector<measure::Outcome> CellSubject::failed(const Error& error) const {
  std::vector<measure::Outcome> outcomes;
  for (const auto& cell : seat_.cells)
    if (std::ranges::find(cell_ids_, cell.cell_id) != cell_ids_.end())
      outcomes.push_back(failed_with(cell, "predict", error));
  return outcomes;
}

Block CellSubject::journal_block(const measure::BlockTimings& timings) const {
  Block block{.cell_ids = cell_ids_,
              .batches = timings.batches,
              .samples = timings.samples,
              .wall_ns = timings.wall_ns,
              .timings_ns = timings.timings_ns};
  if (timings.wall_ns > 0)
    block.values["cpus_used"] =
        static_cast<double>(timings.cpu_ns) / static_cast<double>(timings.wall_ns);
  return block;
}

std::optional<Block> CellSubject::use(std::int64_t wall_ns) const {
  const auto after = seat_.worker->tasks();
  if (wall_ns <= 0 || after.empty()) return std::nullopt;
  const auto use = measure::cpus_used(before_, after, wall_ns);
  return Block{.cell_ids = cell_ids_,
               .wall_ns = wall_ns,
               .values = {{"cpus_used_by_task", measure::to_json(use.busy)}}};
}

std::vector<Block> task_use(const Subjects& subjects) {
  std::vector<Block> blocks;
  for (const auto& subject : subjects) {
    std::int64_t wall_ns = 0;
    for (const auto& other : subjects)
      if (&other->seat() == &subject->seat()) wall_ns += other->wall_ns();
    if (auto block = subject->use(wall_ns)) blocks.push_back(std::move(*block));
  }
  return blocks;
}

}  // namespace inferometer::campaign
