// SPDX-License-Identifier: Apache-2.0
// Two workers in turns, launch after launch: what the comparing bench programs are made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "inferometer/params.hpp"
#include "measure/canary.hpp"
#include "measure/schedule.hpp"
#include "measure/statistics.hpp"

namespace inferometer::bench {

/// A worker to be: `program` speaks the worker protocol; empty: our own.
struct Contestant {
  std::filesystem::path program;
  std::filesystem::path model;
  Params params;
};

struct LaunchOptions {
  std::int64_t rounds = 20;
  std::int64_t block_ns = measure::kBlockNs;
  std::uint64_t seed = 1;
};

/// Nanoseconds per sample of each kept round, of the control and of the cell.
struct Launch {
  std::vector<double> control_ns, cell_ns;
  std::vector<measure::CanaryReading> canary;
  std::int64_t rejected = 0;  ///< rounds left out because the canary changed within them
  /// ln(control / cell), round by round: positive = the cell is faster.
  std::vector<double> log_ratios() const { return measure::log_ratios(control_ns, cell_ns); }
};

/// Fresh workers, loaded, warmed up, measured in interleaved rounds, ended. Throws what a worker
/// met.
Launch launch(const Contestant& control, const Contestant& cell, const LaunchOptions& options);

}  // namespace inferometer::bench
