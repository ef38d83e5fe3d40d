// SPDX-License-Identifier: Apache-2.0
#include "cli/measuring.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {

void add_measuring(Options& options, MeasuringOptions& given, std::int64_t usual_rounds) {
  options.add("--workload", given.workloads, "A,B",
              fmt::format("Some of {}; default: {}", join(campaign::workloads()),
                          join(campaign::default_workloads())));
  options.add("--latency-bound-ms", given.latency_bound_ms, "MS",
              "For workload rate: how late after its request an answer may be");
  options.add(
      "--latency-percentile", given.latency_percentile, "P",
      fmt::format("For workload rate: the percentile that keeps the bound: {}; default {}",
                  fmt::join(measure::kBoundPercentiles, ", "), measure::LatencyBound{}.percentile));
  options.add("--rounds", given.rounds, "N",
              fmt::format("Rounds a launch, fixed in advance; default {}, fewer where a block "
                          "is longer than 1 s",
                          usual_rounds));
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

std::optional<measure::LatencyBound> bound_of(const MeasuringOptions& given,
                                              const std::vector<std::string>& workloads) {
  const bool wanted = std::ranges::find(workloads, "rate") != workloads.end();
  if (wanted && !given.latency_bound_ms)
    throw UsageError(
        "--workload rate: how late may an answer be? Give --latency-bound-ms MS "
        "(and --latency-percentile P, if not 99 % of the answers count)");
  if (!wanted && (given.latency_bound_ms || given.latency_percentile))
    throw UsageError(
        fmt::format("{}: only workload rate has a bound; add --workload rate",
                    given.latency_bound_ms ? "--latency-bound-ms" : "--latency-percentile"));
  if (!wanted) return std::nullopt;
  return measure::latency_bound(*given.latency_bound_ms, given.latency_percentile.value_or(
                                                             measure::LatencyBound{}.percentile));
}

}  // namespace inferometer::cli
