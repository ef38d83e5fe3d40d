// SPDX-License-Identifier: Apache-2.0
#include "campaign/pass.hpp"

#include <algorithm>

namespace inferometer::campaign {
namespace {

constexpr Pass kPasses[] = {
    {"load", Pass::Repeat::EveryLaunch, load_pass},
    {"memory", Pass::Repeat::Once, memory_pass},
    {"rate", Pass::Repeat::EveryLaunch, rate_pass, guess_rate_s},
};

}  // namespace

std::span<const Pass> passes() {
  return kPasses;
}

const Pass* pass_of(std::string_view workload) {
  const auto found = std::ranges::find(kPasses, workload, &Pass::workload);
  return found == std::end(kPasses) ? nullptr : found;
}

}  // namespace inferometer::campaign
