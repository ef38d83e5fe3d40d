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

/// The windows of the energy pass.
inline constexpr std::int64_t kEnergyIdleNs = 5'000'000'000;   ///< before, and again after
inline constexpr std::int64_t kEnergyBusyNs = 10'000'000'000;  ///< and five batches at least

std::span<const Pass> passes();
/// Null for a workload that is measured in rounds.
const Pass* pass_of(std::string_view workload);

/// Null, with `why` beside it.
void set_missing(Json& values, const std::string& key, const std::string& why);

std::optional<Json> load_pass(Session& session, const Seat& seat);
std::optional<Json> memory_pass(Session& session, const Seat& seat);
std::optional<Json> profile_pass(Session& session, const Seat& seat);
std::optional<Json> rate_pass(Session& session, const Seat& seat);
double rate_cost_s(const Session& session, const measure::Cell& cell);
std::optional<Json> energy_pass(Session& session, const Seat& seat);

}  // namespace inferometer::campaign
