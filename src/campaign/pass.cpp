// SPDX-License-Identifier: Apache-2.0
#include "campaign/pass.hpp"

#include <algorithm>

namespace inferometer::campaign {
namespace {

constexpr Pass kPasses[] = {
    {"load", Pass::Repeat::EveryLaunch, load_pass, kGuessedLoadS},
    {"memory", Pass::Repeat::Once, memory_pass, kGuessedLoadS},
    {"energy", Pass::Repeat::EveryLaunch, energy_pass,
     kGuessedLoadS + (2 * kEnergyIdleNs + kEnergyBusyNs) / 1e9},
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
