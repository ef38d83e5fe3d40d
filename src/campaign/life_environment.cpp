// SPDX-License-Identifier: Apache-2.0
// What goes with every outcome: where and beside what it was measured.
#include <fmt/format.h>

#include <algorithm>

#include "campaign/life.hpp"
#include "measure/environment.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;

// MEASURING says near zero and at most 5 % of a round; more than that is told.
constexpr double kMostParentCpuShare = 0.02;
constexpr double kMostCanaryShare = 0.05;
constexpr const char* kKilled = "the launch was killed before its end";

// The worst launch speaks for all; none where a launch doesn't tell.
std::optional<double> worst(const std::vector<Life>& lives,
                            std::optional<double> LaunchEnd::* share) {
  std::optional<double> worst;
  for (const auto& life : lives) {
    if (!life.end || !(life.end->*share)) return std::nullopt;
    worst = std::max(worst.value_or(0), *(life.end->*share));
  }
  return worst;
}

std::string why_missing(const std::vector<Life>& lives, const char* otherwise) {
  return std::ranges::all_of(lives, &Life::end) ? otherwise : kKilled;
}

void put_parent(const std::vector<Life>& lives, Outcome& outcome) {
  const auto share = worst(lives, &LaunchEnd::parent_cpu_share);
  if (!share) {
    measure::set_missing(outcome, "parent_cpu_share", why_missing(lives, "no round ran"));
    return;
  }
  outcome.values["parent_cpu_share"] = *share;
  if (*share > kMostParentCpuShare)
    outcome.warnings.push_back(
        fmt::format("Inferometer itself used {:.1f} % of a CPU while the rounds ran: longer blocks "
                    "(--block-ms) make that less",
                    100 * *share));
}

void put_canary(const std::vector<Life>& lives, Outcome& outcome) {
  const auto share = worst(lives, &LaunchEnd::canary_share);
  if (!share) {
    measure::set_missing(outcome, "canary_share", why_missing(lives, "no canary ran"));
    return;
  }
  outcome.values["canary_share"] = *share;
  if (*share > kMostCanaryShare)
    outcome.warnings.push_back(fmt::format(
        "the canary took {:.1f} % of the rounds: longer blocks (--block-ms) make that less",
        100 * *share));
}

}  // namespace

void put_environment(const Journal& journal, const std::vector<Life>& lives, Outcome& outcome) {
  std::vector<measure::States> states;
  for (const auto& life : lives)
    states.push_back({life.launch->state,
                      life.end ? life.end->state : Json(fmt::format("unavailable: {}", kKilled))});
  outcome.values["fingerprint"] = measure::fingerprint(journal.header.fingerprint, states);
  if (!timed(outcome.cell.workload) || lives.empty() || !outcome.values.contains("rounds")) return;
  put_parent(lives, outcome);
  put_canary(lives, outcome);
}

}  // namespace inferometer::campaign
