// SPDX-License-Identifier: Apache-2.0
// The highest rate of an open loop within a latency bound, in a process that does nothing else.
#include <fmt/format.h>

#include <algorithm>

#include "campaign/pass.hpp"
#include "measure/mix.hpp"
#include "measure/open_loop.hpp"
#include "measure/schedule.hpp"
#include "measure/timings.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kCapacityNs = 1'000'000'000;
constexpr double kUsualTrials = 6;
constexpr double kFastestBatchS = 1e-5;

// As before rounds. Returns the time of the fastest batch.
std::int64_t warm_up(const Session& session, CellWorker& worker) {
  const measure::ScheduleOptions usual;
  const auto start = session.lab.now_ns();
  auto best_ns = worker.block(1, process::Poison::Off).wall_ns;
  for (std::int64_t batches = 1;
       batches < usual.warm_up_batches || session.lab.now_ns() - start < usual.warm_up_ns;
       ++batches) {
    if (session.stop.stop_requested()) break;
    best_ns = std::min(best_ns, worker.block(1, process::Poison::Off).wall_ns);
  }
  return best_ns;
}

// Batches per second of the closed loop: enough of them to fill what may be in flight.
double capacity_of(CellWorker& worker, const Info& info, std::int64_t batch_ns) {
  const auto filling = 4 * integer_param(info.requested, "in_flight", 1);
  const auto batches = std::clamp(measure::batches_per_block(batch_ns, kCapacityNs), filling,
                                  std::max(filling, kMaxBlockBatches));
  const auto wall_ns = worker.block(batches, process::Poison::Off).wall_ns;
  return 1e9 * static_cast<double>(batches) /
         static_cast<double>(std::max<std::int64_t>(1, wall_ns));
}

// Runs trials, each with arrivals of its own: luck of one is not that of all. The canary runs
// before the first and after each, while the worker is stopped.
class Trials {
 public:
  Trials(Session& session, const measure::Cell& cell, CellWorker& worker,
         const measure::TrialPlan& plan)
      : session_(session),
        cell_(cell),
        worker_(worker),
        plan_(plan),
        seed_(measure::mixed(session.options.seed) +
              static_cast<std::uint64_t>(session.journal.launches.back().launch)),
        trial_s_(rate_cost_s(session, cell) / kUsualTrials) {
    ask_canary();
  }

  std::optional<measure::Trial> run(double rate_per_s) {
    if (session_.stop.stop_requested()) return std::nullopt;
    session_.meter->done(0, fmt::format("rate of {}: trial {} at {:.3g} batches/s", cell_.label,
                                        number_ + 1, rate_per_s));
    const auto arrivals =
        measure::poisson_arrivals(rate_per_s, plan_.arrivals, measure::mixed(seed_) + ++number_);
    const auto report =
        worker_.open_loop(arrivals, {plan_.bound.bound_ns, plan_.most_over_limit}, session_.stop);
    if (session_.stop.stop_requested()) return std::nullopt;
    std::vector<std::int64_t> ends;
    for (const auto& served : report.served) ends.push_back(served.end_ns);
    ask_canary();
    if (static_cast<double>(number_) <= kUsualTrials) session_.meter->done(trial_s_, cell_.label);
    return measure::judge_trial(rate_per_s, arrivals, ends, plan_);
  }

  void put_noise(Json& values) const {
    if (!readings_.empty()) return measure::put_noise(values, measure::judge(readings_));
    values["noise_verdict"] = nullptr;
    values["noise_verdict_why"] = "no canary ran between the trials";
  }

 private:
  void ask_canary() {
    worker_.park();
    if (const auto reading =
            session_.lab.canary(session_.lab.cpus(cell_.params), measure::kCanaryNs))
      readings_.push_back(*reading);
    worker_.wake();
  }

  Session& session_;
  const measure::Cell& cell_;
  CellWorker& worker_;
  const measure::TrialPlan& plan_;
  std::uint64_t seed_;
  double trial_s_;
  std::uint64_t number_ = 0;
  std::vector<measure::CanaryReading> readings_;
};

}  // namespace

std::optional<Json> rate_pass(Session& session, const Seat& seat) {
  const auto& cell = seat.entrant->contender->cell;
  const auto& bound = *session.options.latency_bound;  // check_options has seen to it
  const auto worker = session.lab.worker(cell);
  const auto info = worker->load().info;
  worker->prepare(batch_for(session, seat));
  const auto batch_ns = warm_up(session, *worker);
  if (session.stop.stop_requested()) return std::nullopt;
  const auto capacity = capacity_of(*worker, info, batch_ns);
  const auto plan = measure::plan_trial(bound, capacity);
  Trials trials(session, cell, *worker, plan);
  const auto search =
      measure::highest_rate(capacity, [&](double rate_per_s) { return trials.run(rate_per_s); });
  if (search.stopped) return std::nullopt;
  auto values = Json::object();
  values["rate_capacity_per_s"] = capacity;
  measure::put_rate(values, search, bound, batch_rows(info));
  trials.put_noise(values);
  return values;
}

// A trial at two thirds of the closed loop's rate.
double rate_cost_s(const Session& session, const measure::Cell& cell) {
  if (!session.options.latency_bound) return 0;
  const auto batch_s = std::max(kFastestBatchS, session.cost.batch_s(cell));
  const auto plan = measure::plan_trial(*session.options.latency_bound, 1 / batch_s);
  return session.cost.load_s(cell) +
         kUsualTrials * 1.5 * batch_s * static_cast<double>(plan.arrivals);
}

}  // namespace inferometer::campaign
