// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "campaign/pass.hpp"
#include "campaign/seat.hpp"
#include "measure/canary.hpp"

namespace inferometer::campaign {
namespace {

constexpr double kFirstS = 0.7;     // the canary's process and the machine's peaks, once
constexpr double kTurnS = 0.005;    // to wake, to park, to tell
constexpr double kWarmUpS = 0.5;    // measure::ScheduleOptions
constexpr double kLongBlockS = 1;   // above it precision costs too much time
constexpr double kLeastRounds = 6;  // fewer have no interval at 95 %

bool has(const Entrant& entrant, const char* workload) {
  return std::ranges::find(entrant.workloads, workload) != entrant.workloads.end();
}

// Throughput and latency share blocks unless batches overlap.
int subjects_of(const Entrant& entrant) {
  const int timed = int{has(entrant, "throughput")} + int{has(entrant, "latency")};
  const auto& params = entrant.contender->cell.params;
  const auto in_flight = integer_param(params, "in_flight", integer_param(params, "streams", 1));
  return in_flight > 1 ? timed : std::min(timed, 1);
}

double block_s(const Session& session, const measure::Cell& cell) {
  const double batch = session.cost.batch_s(cell);
  return std::max(1.0, std::round(session.options.block_s / batch)) * batch;
}

}  // namespace

double seat_cost_s(const Session& session, const Contender& contender) {
  return session.cost.load_s(contender.cell) + 2 * session.cost.batch_s(contender.cell);
}

double golden_cost_s(const Session& session, const Contender& contender) {
  return session.cost.golden_s(contender.cell, golden_rows(session.options, 1));
}

double warm_up_cost_s(const Session& session, const LaunchPlan& plan) {
  double seconds = session.has_canary ? 0 : kFirstS;
  for (const auto& entrant : plan.entrants)
    seconds += subjects_of(entrant) *
               std::max(kWarmUpS, 3 * session.cost.batch_s(entrant.contender->cell));
  return seconds;
}

double round_cost_s(const Session& session, const LaunchPlan& plan) {
  double seconds = 2 * static_cast<double>(measure::kCanaryNs) / 1e9;
  for (const auto& entrant : plan.entrants)
    seconds += subjects_of(entrant) * (block_s(session, entrant.contender->cell) + kTurnS);
  return seconds;
}

double pass_cost_s(const Session& session, const Contender& contender,
                   const std::string& workload) {
  return pass_of(workload)->cost_s(session, contender.cell);
}

double launch_cost_s(const Session& session, const LaunchPlan& plan) {
  double seconds = 0;
  for (const auto& entrant : plan.entrants) {
    seconds += seat_cost_s(session, *entrant.contender);
    for (const auto& workload : entrant.workloads)
      if (pass_of(workload)) seconds += pass_cost_s(session, *entrant.contender, workload);
  }
  const bool timed =
      std::ranges::any_of(plan.entrants, [](const auto& each) { return subjects_of(each) > 0; });
  if (!timed) return seconds;
  return seconds + warm_up_cost_s(session, plan) +
         static_cast<double>(planned_rounds(session, plan)) * round_cost_s(session, plan);
}

std::int64_t planned_rounds(const Session& session, const LaunchPlan& plan) {
  if (session.options.rounds) return *session.options.rounds;
  double longest = 0;
  for (const auto& entrant : plan.entrants)
    longest = std::max(longest, block_s(session, entrant.contender->cell));
  const auto usual = static_cast<double>(session.options.usual_rounds);
  if (longest <= kLongBlockS) return session.options.usual_rounds;
  return std::llround(std::min(usual, std::max(kLeastRounds, usual / longest)));
}

}  // namespace inferometer::campaign
