// SPDX-License-Identifier: Apache-2.0
#include "cli/measuring.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace inferometer::cli {

void add_measuring(Options& options, MeasuringOptions& given, std::int64_t usual_rounds) {
  options.add("--workload", given.workloads, "A,B",
              fmt::format("{}; default: {}", join(campaign::workloads()),
                          join(campaign::default_workloads())));
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
}

}  // namespace inferometer::cli
