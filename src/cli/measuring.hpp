// SPDX-License-Identifier: Apache-2.0
// What run and bench have in common.
#pragma once

#include "campaign/bench.hpp"
#include "cli/arguments.hpp"
#include "cli/common.hpp"
#include "cli/expectation.hpp"

namespace inferometer::cli {

struct MeasuringOptions {
  std::string workloads;
  std::optional<std::int64_t> rounds;
  double block_ms = 1e3 * campaign::kBlockS;
  std::optional<double> latency_bound_ms, latency_percentile;
  std::uint64_t seed = measure::kSeed;
  ExpectOptions expect;
  std::optional<std::string> cache_dir;
  std::filesystem::path power_log;
};
void add_measuring(Options& options, MeasuringOptions& given, std::int64_t usual_rounds);

/// What workload rate asks about, when it is one of `workloads`. Throws UsageError when it is and
/// no bound was given, or the other way round.
std::optional<measure::LatencyBound> bound_of(const MeasuringOptions& given,
                                              const std::vector<std::string>& workloads);

/// Throws UsageError for a log that nothing would read.
void check_power_log(const MeasuringOptions& given, const std::vector<std::string>& workloads);

/// Into campaign::RunOptions or campaign::BenchOptions.
template <class Asked>
void apply(const MeasuringOptions& given, const std::string& model, campaign::Lab& lab,
           Asked& asked) {
  if (!given.workloads.empty()) asked.workloads = split_list("--workload", given.workloads);
  asked.latency_bound = bound_of(given, asked.workloads);
  check_power_log(given, asked.workloads);
  asked.power_log = given.power_log;
  asked.rounds = given.rounds;
  asked.block_s = given.block_ms / 1e3;
  asked.seed = given.seed;
  asked.expect = read_expected(given.expect, model, lab);
  asked.cache_dir = cache_folder(given.cache_dir);
}

}  // namespace inferometer::cli
