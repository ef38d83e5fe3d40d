// SPDX-License-Identifier: Apache-2.0
// Parity: is the answer right?
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "campaign/golden.hpp"
#include "campaign/lab.hpp"
#include "campaign/progress.hpp"
#include "measure/outcome.hpp"

namespace inferometer::campaign {

struct CheckOptions {
  std::string model;
  std::vector<std::string> engines;
  Params params;  ///< given to every engine
  /// Rows per predict call, each compared: one batch, several, a ragged one.
  std::vector<std::int64_t> rows;  ///< empty: batch_size, and kPoolRows
  Expected expect;
  std::filesystem::path cache_dir;
  std::uint64_t seed = measure::kSeed;
};

/// One outcome per engine, workload "parity": `ok`, `mismatch`, or why it could not be had. The
/// values are measure's parity fields. Throws Error{Invalid} for options or files that are wrong.
std::vector<measure::Outcome> check(const CheckOptions& options, Lab& lab, const Progress& progress,
                                    std::stop_token stop = {});

}  // namespace inferometer::campaign
