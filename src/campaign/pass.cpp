// SPDX-License-Identifier: Apache-2.0
#include "campaign/pass.hpp"

#include <algorithm>

namespace inferometer::campaign {
namespace {

constexpr Pass kPasses[] = {
    {"load", Pass::Repeat::EveryLaunch, load_pass,
     [](double load_s, double batch_s) { return 4 * load_s + 8 * batch_s; }},
    {"memory", Pass::Repeat::Once, memory_pass,
     [](double load_s, double batch_s) { return load_s + 3 * batch_s; }},
    {"profile", Pass::Repeat::Once, profile_pass,
     [](double load_s, double batch_s) { return load_s + 23 * batch_s; }},
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
