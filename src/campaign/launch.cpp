// SPDX-License-Identifier: Apache-2.0
// A launch: one life of the workers of a group.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "campaign/cell_subject.hpp"
#include "campaign/overhead.hpp"
#include "campaign/pass.hpp"
#include "campaign/session.hpp"
#include "measure/schedule.hpp"

namespace inferometer::campaign {
namespace {

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

void run_rounds(Session& session, const LaunchPlan& plan, const std::vector<Seat>& seats,
                const Subjects& subjects, Overhead& overhead) {
  if (subjects.empty()) return;
  std::vector<measure::Subject*> pointers;
  for (const auto& subject : subjects) pointers.push_back(subject.get());
  const auto& options = session.options;
  const auto cpus = cpus_of(session, seats);
  const auto round_s = round_cost_s(session, plan);
  const auto block_ns = static_cast<std::int64_t>(options.block_s * 1e9);
  const auto round_ns = block_ns * static_cast<std::int64_t>(subjects.size());
  const auto canary_ns = measure::canary_aim_ns(round_ns);
  const measure::ScheduleOptions schedule{
      .rounds = plan.rounds,
      .block_ns = block_ns,
      .seed = options.seed + static_cast<std::uint64_t>(plan.launch),
      .most_batches = kMaxBlockBatches,
      .rounds_per_canary =
          measure::rounds_per_canary(std::max(round_ns, static_cast<std::int64_t>(1e9 * round_s)))};
  const measure::ScheduleHooks hooks{
      .now_ns = [&] { return session.lab.now_ns(); },
      .canary = [&] { return overhead.canary(cpus, canary_ns); },
      .on_round =
          [&](const measure::RoundRecord& record) {
            session.record(journal_round(plan, record, subjects));
            const auto before_s = record.round == 1 ? warm_up_cost_s(session, plan) : 0;
            session.meter->done(before_s + round_s, fmt::format("{}: round {} of {}", plan.group,
                                                                record.round, plan.rounds));
          }};
  const auto result = measure::run_schedule(pointers, schedule, hooks, session.stop);
  session.has_canary = true;
  record_failures(session, subjects, result.failures);
}

void record_launch(Session& session, const LaunchPlan& plan, const std::vector<Seat>& seats,
                   double predicted_s) {
  Launch launch{.launch = plan.launch,
                .group = plan.group,
                .rounds = plan.rounds,
                .predicted_s = predicted_s,
                .time = session.lab.utc(),
                .state = session.lab.state()};
  for (const auto& seat : seats)
    launch.cells.insert(launch.cells.end(), seat.cells.begin(), seat.cells.end());
  if (plan.has_control && seats.front().worker)
    for (const auto& cell : seats.front().cells) launch.controls.push_back(cell.cell_id);
  session.record(std::move(launch));
}

// Seconds since the launch began, without those of right answers.
class Stopwatch {
 public:
  explicit Stopwatch(const Session& session)
      : session_(session), start_ns_(session.lab.now_ns()), golden_ns_(session.golden_ns) {}
  double seconds() const {
    const auto golden = session_.golden_ns - golden_ns_;
    return static_cast<double>(session_.lab.now_ns() - start_ns_ - golden) / 1e9;
  }

 private:
  const Session& session_;
  std::int64_t start_ns_, golden_ns_;
};

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
      const auto cost_s =
          pass_cost_s(session, *seat.entrant->contender, std::string(pass.workload));
      const auto before_s = session.meter->spent_s();
      run_pass(session, plan, seat, pass);
      const auto told_s = session.meter->spent_s() - before_s;  // by the pass itself
      session.meter->done(std::max(0.0, cost_s - told_s), plan.group);
    }
}

}  // namespace

void run_launch(Session& session, const LaunchPlan& plan) {
  const auto predicted_s = launch_cost_s(session, plan);
  const Stopwatch watch(session);
  std::vector<Seat> seats;
  for (const auto& entrant : plan.entrants) {
    if (session.stop.stop_requested()) return;
    session.meter->done(0,
                        fmt::format("{}: loading {}", plan.group, entrant.contender->cell.label));
    auto cost_s = seat_cost_s(session, *entrant.contender);
    const auto goldens = session.golden_models.size();
    seats.push_back(take_seat(session, entrant));
    if (session.golden_models.size() > goldens)
      cost_s += golden_cost_s(session, *entrant.contender);
    session.meter->done(cost_s, plan.group);
  }
  record_launch(session, plan, seats, predicted_s);
  Overhead overhead(session.lab);
  LaunchEnd end{.launch = plan.launch, .group = plan.group};
  {
    const auto subjects = subjects_of(session, seats);
    run_rounds(session, plan, seats, subjects, overhead);
    end.blocks = task_use(subjects);
  }
  for (auto& seat : seats) seat.worker.reset();
  run_passes(session, plan, seats);
  end.time = session.lab.utc();
  end.state = session.lab.state();
  end.wall_s = watch.seconds();
  end.parent_cpu_share = overhead.parent_cpu_share();
  end.canary_share = overhead.canary_share();
  session.record(std::move(end));
}

}  // namespace inferometer::campaign
