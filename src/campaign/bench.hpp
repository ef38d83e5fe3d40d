// SPDX-License-Identifier: Apache-2.0
// Lists of options -> cells -> launches of interleaved rounds -> outcomes. A failed cell is data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "campaign/golden.hpp"
#include "campaign/journal.hpp"
#include "campaign/lab.hpp"
#include "campaign/progress.hpp"
#include "measure/open_loop.hpp"
#include "measure/outcome.hpp"
#include "measure/pool.hpp"
#include "measure/schedule.hpp"

namespace inferometer::campaign {

/// `-p KEY=V1,V2`.
struct ParamChoices {
  std::string name;
  std::vector<ParamValue> values;
};

const std::vector<std::string>& workloads();          ///< all that there are
const std::vector<std::string>& default_workloads();  ///< throughput, latency, load, memory

/// Among batch sizes: none is asked for, the model's or the engine's own counts.
inline constexpr std::int64_t kOwnBatch = 0;

/// The longest and the usual aim for one block.
inline constexpr double kMostBlockS = 10;
inline constexpr double kBlockS = static_cast<double>(measure::kBlockNs) / 1e9;

/// A journal holds no more of either.
inline constexpr std::int64_t kMostRounds = 1'000'000;

/// Enough to screen many cells; enough for one cell alone.
inline constexpr std::int64_t kBenchRounds = 8, kRunRounds = 20;

struct BenchOptions {
  std::vector<std::string> models;
  std::vector<std::string> engines;
  std::vector<std::int64_t> batch_sizes = {1};
  std::vector<ParamChoices> params;
  std::vector<std::string> workloads = default_workloads();
  std::optional<measure::LatencyBound> latency_bound;  ///< what workload rate asks about
  std::int64_t launches = 1;
  /// Per launch. None: `usual_rounds`, fewer where a block lasts longer than a second; either way
  /// fixed before the launch.
  std::optional<std::int64_t> rounds;
  std::int64_t usual_rounds = kBenchRounds;
  double block_s = kBlockS;             ///< aim; at least one batch
  std::string control;                  ///< one of `engines`; empty: the first cell of every group
  std::filesystem::path journal;        ///< empty: kept in memory
  bool resume = false;                  ///< go on with `journal`: missing launches and cells only
  Expected expect;                      ///< empty: the reference engine's outputs
  std::filesystem::path cache_dir;      ///< goldens are kept here; empty: nowhere
  std::filesystem::path power_log;      ///< for energy (docs/cli.md); empty: the counters
  std::uint64_t seed = measure::kSeed;  ///< of input rows and of the order within rounds
};

struct BenchResult {
  Journal journal;                         ///< everything, earlier launches of a resumed one too
  std::vector<measure::Outcome> outcomes;  ///< one per cell, in the order of the options
  bool interrupted = false;                ///< `stop` was requested; what was measured is kept
};

/// Throws Error{Invalid} for options that make no sense (unknown engine or workload, rate without a
/// latency bound, nothing to do), for an unreadable model and for a journal that can't be written;
/// everything else is an outcome.
BenchResult bench(const BenchOptions& options, Lab& lab, const Progress& progress,
                  std::stop_token stop = {});

/// One (model, engine, params) alone: a launch of its own, nothing to compare with. One outcome per
/// workload.
struct RunOptions {
  std::string model;
  std::string engine;
  Params params;
  std::vector<std::string> workloads = default_workloads();
  std::optional<measure::LatencyBound> latency_bound;
  std::optional<std::int64_t> rounds;  ///< none: kRunRounds, fewer where a block is long
  double block_s = kBlockS;
  Expected expect;
  std::filesystem::path cache_dir;
  std::filesystem::path power_log;
  std::uint64_t seed = measure::kSeed;
};
BenchResult run(const RunOptions& options, Lab& lab, const Progress& progress,
                std::stop_token stop = {});

}  // namespace inferometer::campaign
