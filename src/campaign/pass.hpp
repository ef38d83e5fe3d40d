// SPDX-License-Identifier: Apache-2.0
// Workloads that aren't interleaved: each has processes of its own, after the rounds of a launch,
// when no other worker lives. A pass is a row of one table. Internal.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/json.hpp"
#include "campaign/seat.hpp"

namespace inferometer::campaign {

struct Pass {
  /// Once: what hardly moves between launches.
  enum class Repeat { EveryLaunch, Once };
  std::string_view workload;
  Repeat repeat;
  /// The Field values of one cell; none: `session.stop` was requested. Throws Error.
  std::optional<Json> (*measure)(Session& session, const Seat& seat);
  /// Predicted seconds.
  double (*cost_s)(const Session& session, const measure::Cell& cell);
};

std::span<const Pass> passes();
/// Null for a workload that is measured in rounds.
const Pass* pass_of(std::string_view workload);

std::optional<Json> load_pass(Session& session, const Seat& seat);
std::optional<Json> memory_pass(Session& session, const Seat& seat);
std::optional<Json> profile_pass(Session& session, const Seat& seat);
std::optional<Json> rate_pass(Session& session, const Seat& seat);
double rate_cost_s(const Session& session, const measure::Cell& cell);

}  // namespace inferometer::campaign
