// SPDX-License-Identifier: Apache-2.0
#include "cli/measuring.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {

void add_measuring(Options& options, MeasuringOptions& given, std::int64_t default_rounds) {
  given.rounds = default_rounds;
  options.add("--workload", given.workloads, "A,B",
              fmt::format("{}; default: {}", join(campaign::workloads()),
                          join(campaign::default_workloads())));
  options.add("--rounds", given.rounds, "N",
              fmt::format("Rounds a launch, fixed in advance; default {}", default_rounds));
  options.add("--block-ms", given.block_ms, "MS",
              fmt::format("Aim for one block, at most {:g}; at least one batch; default {:g}",
                          1e3 * campaign::kMostBlockS, given.block_ms));
  options.add("--seed", given.seed, "N", "Seed of the input rows and of the order; default 1");
  add_expect(options, given.expect);
  add_cache_dir(options, given.cache_dir);
  options.add("--power-log", given.power_log, "FILE",
              "A power meter's CSV, written meanwhile, for energy; default: the counters of "
              "processors and GPUs");
}

void check_power_log(const MeasuringOptions& given, const std::vector<std::string>& workloads) {
  if (given.power_log.empty() || std::ranges::find(workloads, "energy") != workloads.end()) return;
  throw UsageError("--power-log is for the workload energy; add --workload energy");
}

}  // namespace inferometer::cli
