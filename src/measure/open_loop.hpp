// SPDX-License-Identifier: Apache-2.0
// The open loop: requests come when they come, whether or not the one before has ended, as from
// many users who know nothing of each other. A closed loop asks only when it has its answer, so
// that a stall delays one request and keeps quiet about all that would have come meanwhile
// ("coordinated omission"). Here arrivals are drawn before the trial and a latency counts from the
// intended start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace inferometer::measure {

/// "`percentile` % of the requests end within `bound_ns`."
struct LatencyBound {
  std::int64_t bound_ns = 0;
  double percentile = 99;  ///< one of kBoundPercentiles
  double share() const { return percentile / 100; }
};
inline constexpr std::array<double, 5> kBoundPercentiles = {50, 90, 95, 99, 99.9};
inline constexpr double kMostBoundMs = 3'600'000;
/// Throws Error{Invalid} naming a value that is not allowed.
LatencyBound latency_bound(double bound_ms, double percentile);

/// Intended starts, nanoseconds from the start of the trial: a Poisson process over
/// count / rate_per_s seconds, given that it has `count` arrivals there, so that the rate offered
/// is the rate asked for. (Scaled sums of count + 1 exponential gaps; Devroye, Non-Uniform Random
/// Variate Generation, 1986, V.2.) The same on every machine. `count` is at least 1.
std::vector<std::int64_t> poisson_arrivals(double rate_per_s, std::size_t count,
                                           std::uint64_t seed);

/// What is fixed before the first trial. One whose every request ran, not more than
/// `most_over_limit` of them over the bound, shows at 99 % that the percentile lies within it, by
/// the early-stopping rule (statistics.hpp). The rule takes latencies as independent; those of a
/// queue are not, so that short trials near saturation say less than 99 %.
struct TrialPlan {
  LatencyBound bound;
  std::size_t arrivals = 0;
  std::size_t most_over_limit = 0;
};
/// As many arrivals as the rule needs with two over the limit, at least 200, and at least 2 s of
/// them at the closed loop's rate; at most 100,000.
TrialPlan plan_trial(const LatencyBound& bound, double capacity_per_s);

/// One trial, judged.
struct Trial {
  double offered_per_s = 0;
  double achieved_per_s = 0;
  std::size_t arrivals = 0;    ///< that were served; fewer than planned: given up as hopeless
  std::size_t over_limit = 0;  ///< of them
  bool saturated = false;      ///< achieved < 0.98 offered: it falls ever further behind
  bool passes = false;
  std::int64_t least_ns = 0;               ///< the smallest latency, from the intended start
  std::vector<std::int64_t> latencies_ns;  ///< all of them; void, so empty, when it is saturated
};
inline constexpr double kLeastAchieved = 0.98;

/// `ends_ns`: when the first ends_ns.size() arrivals were done, on the clock of `arrivals_ns`.
/// Achieved: the offered rate times t / (t + lag), t being a request's intended start and lag its
/// latency above the least one; the best of the last tenth of the requests counts, so that one
/// stall near the end isn't taken for saturation. Of a trial given up before 200 it isn't told.
Trial judge_trial(double rate_per_s, std::span<const std::int64_t> arrivals_ns,
                  std::span<const std::int64_t> ends_ns, const TrialPlan& plan);

/// Runs a trial at this rate; none: it is to end.
using RunTrial = std::function<std::optional<Trial>(double rate_per_s)>;

struct RateSearch {
  std::vector<Trial> trials;          ///< in the order in which they ran
  std::optional<std::size_t> best;    ///< among them, the highest that passes
  std::optional<double> fails_per_s;  ///< the lowest rate that failed
  bool stopped = false;               ///< a trial didn't run
};
/// From `capacity_per_s`, the closed loop's rate: doubled while it passes (three times at most), or
/// halved while it fails (the same; lower still when less than half came out). Then the bracket
/// [passes, fails] is halved geometrically until it is within 5 %: four times from a factor of 2.
RateSearch highest_rate(double capacity_per_s, const RunTrial& run);

}  // namespace inferometer::measure
