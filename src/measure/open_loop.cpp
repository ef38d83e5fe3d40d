// SPDX-License-Identifier: Apache-2.0
#include "measure/open_loop.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "inferometer/error.hpp"
#include "measure/mix.hpp"
#include "measure/statistics.hpp"

namespace inferometer::measure {
namespace {

constexpr std::size_t kFewestArrivals = 200;
constexpr std::size_t kMostArrivals = 100'000;
constexpr double kTrialS = 2;
constexpr int kMostSteps = 3;  // by a factor of 2, until there is a bracket
constexpr double kBracket = 1.05;

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : base_(mixed(seed)) {}
  std::uint64_t next() { return mixed(base_ + count_++); }

 private:
  std::uint64_t base_;
  std::uint64_t count_ = 0;
};

// Von Neumann's comparisons (1951): exact, and without a logarithm, whose last bit differs between
// libraries. A run that falls for an odd number of draws takes its first; an even one adds 1.
double exponential(Draws& draws) {
  for (int whole = 0;; ++whole) {
    const auto first = draws.next();
    bool odd = true;
    for (auto last = first, next = draws.next(); next < last; last = next, next = draws.next())
      odd = !odd;
    if (odd) return whole + static_cast<double>(first >> 11) * 0x1p-53;
  }
}

double share_achieved(std::span<const std::int64_t> arrivals_ns,
                      std::span<const std::int64_t> latencies_ns, std::int64_t least_ns) {
  const auto count = latencies_ns.size();
  double best = 0;
  for (auto i = count - std::max<std::size_t>(1, count / 10); i < count; ++i) {
    const auto lag = static_cast<double>(latencies_ns[i] - least_ns);
    const auto intended = static_cast<double>(arrivals_ns[i]);
    best = std::max(best, lag > 0 ? intended / (intended + lag) : 1);
  }
  return best;
}

class Search {
 public:
  Search(const RunTrial& run, RateSearch& result) : run_(run), result_(result) {}

  bool has_passed() const { return result_.best.has_value(); }
  bool has_failed() const { return result_.fails_per_s.has_value(); }
  bool goes_on() const { return !result_.stopped; }
  double passes() const { return passes_; }
  double fails() const { return *result_.fails_per_s; }
  // Half, or what came out where that is less: executors that sleep between requests may do far
  // less than a closed loop of a tiny model.
  double below() const {
    const auto& last = result_.trials.back();
    return last.saturated ? std::min(fails() / 2, last.achieved_per_s) : fails() / 2;
  }

  void run(double rate_per_s) {
    auto trial = run_(rate_per_s);
    result_.stopped = !trial;
    if (!trial) return;
    if (trial->passes) {
      result_.best = result_.trials.size();
      passes_ = rate_per_s;
    } else {
      result_.fails_per_s = rate_per_s;
    }
    result_.trials.push_back(std::move(*trial));
  }

 private:
  const RunTrial& run_;
  RateSearch& result_;
  double passes_ = 0;
};

}  // namespace

LatencyBound latency_bound(double bound_ms, double percentile) {
  if (!(bound_ms > 0 && bound_ms <= kMostBoundMs))  // NaN too
    throw Error(Status::Invalid,
                fmt::format("a latency bound of {} ms: expected above 0 and at most {} ms",
                            bound_ms, kMostBoundMs));
  if (std::ranges::find(kBoundPercentiles, percentile) == kBoundPercentiles.end())
    throw Error(Status::Invalid, fmt::format("latency percentile {}: expected one of {}",
                                             percentile, fmt::join(kBoundPercentiles, ", ")));
  return {std::llround(bound_ms * 1e6), percentile};
}

std::vector<std::int64_t> poisson_arrivals(double rate_per_s, std::size_t count,
                                           std::uint64_t seed) {
  assert(rate_per_s > 0 && count > 0);
  Draws draws(seed);
  std::vector<double> sums(count);
  double sum = 0;
  for (double& each : sums) each = sum += exponential(draws);
  sum += exponential(draws);
  const double length_ns = static_cast<double>(count) * 1e9 / rate_per_s;
  std::vector<std::int64_t> arrivals_ns;
  arrivals_ns.reserve(count);
  for (const double each : sums) arrivals_ns.push_back(std::llround(each / sum * length_ns));
  return arrivals_ns;
}

TrialPlan plan_trial(const LatencyBound& bound, double capacity_per_s) {
  const auto needed = std::max(kFewestArrivals, early_stopping_timings(bound.share(), 2));
  const double lasting = std::min(kTrialS * capacity_per_s, static_cast<double>(kMostArrivals));
  const auto arrivals = std::max(needed, static_cast<std::size_t>(lasting));
  return {bound, arrivals, most_over_limit(bound.share(), arrivals)};
}

Trial judge_trial(double rate_per_s, std::span<const std::int64_t> arrivals_ns,
                  std::span<const std::int64_t> ends_ns, const TrialPlan& plan) {
  assert(ends_ns.size() <= arrivals_ns.size());
  Trial trial{.offered_per_s = rate_per_s, .arrivals = ends_ns.size()};
  auto& latencies = trial.latencies_ns;
  for (std::size_t i = 0; i < ends_ns.size(); ++i) latencies.push_back(ends_ns[i] - arrivals_ns[i]);
  if (latencies.empty()) return trial;
  const auto bound_ns = plan.bound.bound_ns;
  trial.over_limit = static_cast<std::size_t>(
      std::ranges::count_if(latencies, [&](auto latency) { return latency > bound_ns; }));
  trial.least_ns = std::ranges::min(latencies);
  const double share = share_achieved(arrivals_ns, latencies, trial.least_ns);
  trial.achieved_per_s = rate_per_s * share;
  trial.saturated =
      trial.arrivals >= std::min(kFewestArrivals, plan.arrivals) && share < kLeastAchieved;
  trial.passes = !trial.saturated && trial.arrivals == plan.arrivals &&
                 trial.over_limit <= plan.most_over_limit;
  if (trial.saturated) latencies.clear();
  return trial;
}

RateSearch highest_rate(double capacity_per_s, const RunTrial& run) {
  RateSearch result;
  Search search(run, result);
  search.run(capacity_per_s);
  for (int i = 0; i < kMostSteps && search.goes_on() && !search.has_failed(); ++i)
    search.run(2 * search.passes());
  for (int i = 0; i < kMostSteps && search.goes_on() && !search.has_passed(); ++i)
    search.run(search.below());
  while (search.goes_on() && search.has_passed() && search.has_failed() &&
         search.fails() > kBracket * search.passes())
    search.run(std::sqrt(search.passes() * search.fails()));
  return result;
}

}  // namespace inferometer::measure
