// SPDX-License-Identifier: Apache-2.0
#include "campaign/pass.hpp"

#include <algorithm>

namespace inferometer::campaign {
namespace {

constexpr double kGrowthS = 2;  // how long a leak is looked for, about

constexpr Pass kPasses[] = {
    {"load", Pass::Repeat::EveryLaunch, load_pass,
     [](const Session& session, const measure::Cell& cell) {
       return 4 * session.cost.load_s(cell) + 8 * session.cost.batch_s(cell);
     }},
    {"memory", Pass::Repeat::Once, memory_pass,
     [](const Session& session, const measure::Cell& cell) {
       return session.cost.load_s(cell) + 3 * session.cost.batch_s(cell) + kGrowthS;
     }},
    {"profile", Pass::Repeat::Once, profile_pass,
     [](const Session& session, const measure::Cell& cell) {
       return session.cost.load_s(cell) + 23 * session.cost.batch_s(cell);
     }},
    {"rate", Pass::Repeat::EveryLaunch, rate_pass, rate_cost_s},
    {"energy", Pass::Repeat::EveryLaunch, energy_pass,
     [](const Session& session, const measure::Cell& cell) {
       const double busy_s = std::max(kEnergyBusyNs / 1e9, 5 * session.cost.batch_s(cell));
       return session.cost.load_s(cell) + 2 * kEnergyIdleNs / 1e9 + busy_s;
     }},
};

}  // namespace

std::span<const Pass> passes() {
  return kPasses;
}

const Pass* pass_of(std::string_view workload) {
  const auto found = std::ranges::find(kPasses, workload, &Pass::workload);
  return found == std::end(kPasses) ? nullptr : found;
}

void set_missing(Json& values, const std::string& key, const std::string& why) {
  values[key] = nullptr;
  values[key + "_why"] = why;
}

}  // namespace inferometer::campaign
