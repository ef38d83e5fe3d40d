// SPDX-License-Identifier: Apache-2.0
// A launch: one life of the workers of a group.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "campaign/pass.hpp"
#include "campaign/session.hpp"
#include "measure/schedule.hpp"

namespace inferometer::campaign {
namespace {

constexpr double kGuessedFlopsPerS = 5e10;

// Throughput and latency of one contender are two readings of the same blocks when its batches
// follow each other (in_flight 1). With more in flight a batch's latency is that of a batch alone.
class CellSubject : public measure::Subject {
 public:
  enum class Kind { Stream, OneByOne };
  CellSubject(Seat& seat, std::vector<std::string> cell_ids, Kind kind)
      : seat_(seat), cell_ids_(std::move(cell_ids)), kind_(kind) {}

  measure::BlockTimings run_block(std::int64_t batches) override {
    cpu_ns_ = 0;
    if (kind_ == Kind::Stream) return one_block(batches);
    measure::BlockTimings all;
    for (std::int64_t i = 0; i < batches; ++i) {
      const auto block = one_block(1);
      all.wall_ns += block.wall_ns;
      all.samples += block.samples;
      all.batches += block.batches;
      all.timings_ns.push_back(block.wall_ns);
    }
    return all;
  }
  void resume() override { seat_.worker->wake(); }
  void pause() override { seat_.worker->park(); }

  /// Its own cells end with this error, not the seat's others: what loading told is whole, and
  /// memory has a process of its own.
  std::vector<measure::Outcome> failed(const Error& error) const {
    std::vector<measure::Outcome> outcomes;
    for (const auto& cell : seat_.cells)
      if (std::ranges::find(cell_ids_, cell.cell_id) != cell_ids_.end())
        outcomes.push_back(failed_with(cell, "predict", error));
    return outcomes;
  }
  /// The journal's block of the block that ran last.
  Block journal_block(const measure::BlockTimings& timings) const {
    Block block{.cell_ids = cell_ids_,
                .batches = timings.batches,
                .samples = timings.samples,
                .wall_ns = timings.wall_ns,
                .timings_ns = timings.timings_ns};
    if (timings.wall_ns > 0)
      block.values["cpus_used"] =
          static_cast<double>(cpu_ns_) / static_cast<double>(timings.wall_ns);
    return block;
  }

 private:
  measure::BlockTimings one_block(std::int64_t batches) {
    auto report = seat_.worker->block(batches, process::Poison::Off);
    cpu_ns_ += report.cpu_ns;
    return {report.wall_ns, report.samples, report.batches, std::move(report.timings_ns)};
  }

  Seat& seat_;
  std::vector<std::string> cell_ids_;
  Kind kind_;
  std::int64_t cpu_ns_ = 0;
};

using Subjects = std::vector<std::unique_ptr<CellSubject>>;

void add_subjects(Seat& seat, Subjects& subjects) {
  if (!seat.worker) return;
  std::vector<std::string> together, apart;
  const bool one_by_one = integer_param(seat.info.requested, "in_flight", 1) > 1;
  for (const auto& cell : seat.cells) {
    if (cell.cell.workload == "throughput") together.push_back(cell.cell_id);
    if (cell.cell.workload == "latency") (one_by_one ? apart : together).push_back(cell.cell_id);
  }
  if (!together.empty())
    subjects.push_back(
        std::make_unique<CellSubject>(seat, std::move(together), CellSubject::Kind::Stream));
  if (!apart.empty())
    subjects.push_back(
        std::make_unique<CellSubject>(seat, std::move(apart), CellSubject::Kind::OneByOne));
}

Json reading_values(const measure::CanaryReading& reading) {
  return {{"canary_fma_ns", reading.fma_ns}, {"canary_stream_ns", reading.stream_ns}};
}

Round journal_round(const LaunchPlan& plan, const measure::RoundRecord& record,
                    const Subjects& subjects) {
  Round round{.launch = plan.launch,
              .group = plan.group,
              .round = record.round,
              .rejected = record.rejected};
  if (record.before) round.canary["before"] = reading_values(*record.before);
  if (record.after) round.canary["after"] = reading_values(*record.after);
  for (const auto& block : record.blocks)
    if (!block.failure) round.blocks.push_back(subjects[block.subject]->journal_block(block.block));
  return round;
}

Error as_error(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(Status::PredictFailed, error.what());
  }
}

void record_failures(Session& session, const Subjects& subjects,
                     const std::vector<std::exception_ptr>& failures) {
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (!failures[i]) continue;
    for (const auto& outcome : subjects[i]->failed(as_error(failures[i]))) session.record(outcome);
  }
}

// Where the canary runs: on every CPU that some cell may use.
std::vector<int> cpus_of(Session& session, const std::vector<Seat>& seats) {
  std::set<int> all;
  for (const auto& seat : seats) {
    if (!seat.worker) continue;
    const auto cpus = session.lab.cpus(seat.entrant->contender->cell.params);
    all.insert(cpus.begin(), cpus.end());
  }
  return {all.begin(), all.end()};
}

void run_rounds(Session& session, const LaunchPlan& plan, std::vector<Seat>& seats) {
  Subjects subjects;
  for (auto& seat : seats) add_subjects(seat, subjects);
  if (subjects.empty()) return;
  std::vector<measure::Subject*> pointers;
  for (const auto& subject : subjects) pointers.push_back(subject.get());
  const auto& options = session.options;
  const auto cpus = cpus_of(session, seats);
  const auto round_s = guess_round_s(session, plan);
  const auto block_ns = static_cast<std::int64_t>(options.block_s * 1e9);
  const auto canary_ns =
      measure::canary_aim_ns(block_ns * static_cast<std::int64_t>(subjects.size()));
  const measure::ScheduleOptions schedule{
      .rounds = options.rounds,
      .block_ns = block_ns,
      .seed = options.seed + static_cast<std::uint64_t>(plan.launch),
      .most_batches = kMaxBlockBatches};
  const measure::ScheduleHooks hooks{
      .now_ns = [&] { return session.lab.now_ns(); },
      .canary = [&] { return session.lab.canary(cpus, canary_ns); },
      .on_round =
          [&](const measure::RoundRecord& record) {
            session.record(journal_round(plan, record, subjects));
            session.meter->done(round_s, fmt::format("{}: round {} of {}", plan.group, record.round,
                                                     options.rounds));
          }};
  record_failures(session, subjects,
                  measure::run_schedule(pointers, schedule, hooks, session.stop).failures);
}

void record_launch(Session& session, const LaunchPlan& plan, const std::vector<Seat>& seats) {
  Launch launch{.launch = plan.launch,
                .group = plan.group,
                .rounds = session.options.rounds,
                .time = session.lab.utc(),
                .state = session.lab.state()};
  for (const auto& seat : seats)
    launch.cells.insert(launch.cells.end(), seat.cells.begin(), seat.cells.end());
  if (plan.has_control && seats.front().worker)
    for (const auto& cell : seats.front().cells) launch.controls.push_back(cell.cell_id);
  session.record(std::move(launch));
}

std::string id_of(const Seat& seat, const std::string& workload) {
  for (const auto& cell : seat.cells)
    if (cell.cell.workload == workload) return cell.cell_id;
  return "";
}

void run_pass(Session& session, const LaunchPlan& plan, const Seat& seat, const Pass& pass) {
  const auto id = id_of(seat, std::string(pass.workload));
  Round round{.launch = plan.launch, .group = plan.group};
  try {
    auto values = pass.measure(session, seat);
    if (!values) return;
    round.blocks.push_back({.cell_ids = {id}, .values = std::move(*values)});
  } catch (const Error& error) {
    const auto& cell = *std::ranges::find(seat.cells, id, &measure::Outcome::cell_id);
    session.record(failed_with(cell, "measure", error));
    return;
  }
  session.record(std::move(round));  // what the journal throws is not the cell's failure
}

// Only of what was loaded and found right.
bool wants(const Seat& seat, const Pass& pass) {
  return !id_of(seat, std::string(pass.workload)).empty() &&
         std::ranges::all_of(seat.cells,
                             [](const auto& cell) { return cell.status == Status::Ok; });
}

void run_passes(Session& session, const LaunchPlan& plan, const std::vector<Seat>& seats) {
  for (const auto& seat : seats)
    for (const auto& pass : passes()) {
      if (session.stop.stop_requested()) return;
      if (!wants(seat, pass)) continue;
      session.meter->done(0, fmt::format("{}: {} of {}", plan.group, pass.workload,
                                         seat.entrant->contender->cell.label));
      run_pass(session, plan, seat, pass);
      session.meter->done(pass.guess_s, plan.group);
    }
}

}  // namespace

void run_launch(Session& session, const LaunchPlan& plan) {
  std::vector<Seat> seats;
  for (const auto& entrant : plan.entrants) {
    if (session.stop.stop_requested()) return;
    session.meter->done(0,
                        fmt::format("{}: loading {}", plan.group, entrant.contender->cell.label));
    seats.push_back(take_seat(session, entrant));
    session.meter->done(kGuessedLoadS, plan.group);
  }
  record_launch(session, plan, seats);
  run_rounds(session, plan, seats);
  for (auto& seat : seats) seat.worker.reset();
  run_passes(session, plan, seats);
}

double guess_round_s(const Session& session, const LaunchPlan& plan) {
  double seconds = 0;
  for (const auto& entrant : plan.entrants) {
    const auto& cell = entrant.contender->cell;
    const auto macs = session.models.at(cell.model).macs.value_or(0);
    const auto rows = integer_param(cell.params, "batch_size", 1);
    const double batch_s = 2.0 * static_cast<double>(macs * rows) / kGuessedFlopsPerS;
    seconds += std::max(session.options.block_s, batch_s) + 0.01;
  }
  return seconds;
}

double guess_launch_s(const Session& session, const LaunchPlan& plan) {
  double seconds = 0;
  bool rounds = false;
  for (const auto& entrant : plan.entrants) {
    seconds += kGuessedLoadS;
    for (const auto& workload : entrant.workloads) {
      const auto* pass = pass_of(workload);
      seconds += pass ? pass->guess_s : 0;
      rounds |= pass == nullptr;
    }
  }
  if (!rounds) return seconds;
  return seconds + static_cast<double>(session.options.rounds) * guess_round_s(session, plan);
}

}  // namespace inferometer::campaign
