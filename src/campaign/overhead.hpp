// SPDX-License-Identifier: Apache-2.0
// What measuring itself takes of the machine while the rounds of a launch run. Internal.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "campaign/lab.hpp"

namespace inferometer::campaign {

/// The rounds begin when the first canary has run, which starts the canary's process, and end with
/// the canary of the last.
class Overhead {
 public:
  explicit Overhead(Lab& lab) : lab_(lab) {}

  /// Lab::canary, timed.
  std::optional<measure::CanaryReading> canary(const std::vector<int>& cpus, std::int64_t aim_ns);

  /// CPU time of our own process over wall time; none before a round has ended.
  std::optional<double> parent_cpu_share() const;
  /// The canary's share of wall time; none before a round has ended, and without canary.
  std::optional<double> canary_share() const;

 private:
  struct Times {
    std::int64_t wall_ns = 0, cpu_ns = 0;
  };
  Times now() const { return {lab_.now_ns(), lab_.cpu_ns()}; }

  Lab& lab_;
  std::optional<Times> begin_;
  Times rounds_;  ///< since `begin_`, as of the last canary
  std::int64_t canary_ns_ = 0;
  bool has_canary_ = false;
};

}  // namespace inferometer::campaign
