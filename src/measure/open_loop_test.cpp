// SPDX-License-Identifier: Apache-2.0
#include "measure/open_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "inferometer/error.hpp"
#include "measure/fake_queue.hpp"
#include "measure/statistics.hpp"
#include "measure/timings.hpp"

namespace inferometer::measure {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kMs = 1'000'000;

std::vector<double> gaps_of(const std::vector<std::int64_t>& arrivals_ns) {
  std::vector<double> gaps(arrivals_ns.begin(), arrivals_ns.end());
  std::adjacent_difference(gaps.begin(), gaps.end(), gaps.begin());
  return gaps;
}

TEST(PoissonArrivals, AreTheSameOnEveryMachine) {
  EXPECT_THAT(poisson_arrivals(1000, 5, 1),
              ElementsAre(453'381, 3'128'488, 4'068'237, 4'239'036, 4'527'333));
  EXPECT_NE(poisson_arrivals(1000, 5, 1), poisson_arrivals(1000, 5, 2));
}

TEST(PoissonArrivals, ComeInOrderAtTheRateAskedFor) {
  const auto arrivals = poisson_arrivals(250, 100'000, 3);
  EXPECT_TRUE(std::ranges::is_sorted(arrivals));
  EXPECT_GT(arrivals.front(), 0);
  // The last stands one gap of 4 ms before the end of 400 s; no seed moves it by 100.
  EXPECT_NEAR(static_cast<double>(arrivals.back()), 400e9, 0.4e9);
  EXPECT_LE(arrivals.back(), 400'000'000'000);
}

// Kolmogorov-Smirnov: the largest distance from 1 - exp(-x) stays below 1.63 / sqrt(n) in 99 % of
// true samples; of a uniform or a constant gap it would be above 0.2.
TEST(PoissonArrivals, GapsAreExponential) {
  constexpr std::size_t kCount = 10'000;
  auto gaps = gaps_of(poisson_arrivals(1000, kCount, 7));
  std::ranges::sort(gaps);
  double distance = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double expected = -std::expm1(-gaps[i] / 1e6);
    const double below = static_cast<double>(i) / kCount;
    distance = std::max({distance, expected - below, below + 1.0 / kCount - expected});
  }
  EXPECT_LT(distance, 1.63 / std::sqrt(kCount));
}

// Neighbouring gaps know nothing of each other.
TEST(PoissonArrivals, GapsAreIndependent) {
  constexpr std::size_t kCount = 10'000;
  const auto gaps = gaps_of(poisson_arrivals(1000, kCount, 8));
  double sum = 0;
  for (std::size_t i = 1; i < kCount; ++i) sum += (gaps[i - 1] / 1e6 - 1) * (gaps[i] / 1e6 - 1);
  EXPECT_LT(std::abs(sum / kCount), 2.58 / std::sqrt(kCount));
}

TEST(PlanTrial, IsTheEarlyStoppingRule) {
  const auto p99 = plan_trial({100 * kMs, 99}, 20);
  EXPECT_EQ(p99.arrivals, 838u);
  EXPECT_EQ(p99.most_over_limit, 2u);
  EXPECT_EQ(plan_trial({100 * kMs, 99.9}, 20).arrivals, 8403u);
  EXPECT_EQ(plan_trial({100 * kMs, 50}, 20).arrivals, 200u) << "saturation wants some";
  EXPECT_EQ(plan_trial({100 * kMs, 90}, 1000).arrivals, 2000u) << "two seconds";
  EXPECT_EQ(plan_trial({100 * kMs, 90}, 1e9).arrivals, 100'000u);
}

TEST(PlanTrial, LetsAsManyPassTheLimitAsTheRuleDoes) {
  for (const double percentile : kBoundPercentiles) {
    const auto plan = plan_trial({kMs, percentile}, 700);
    const auto share = plan.bound.share();
    EXPECT_LE(early_stopping_timings(share, plan.most_over_limit), plan.arrivals) << percentile;
    EXPECT_GT(early_stopping_timings(share, plan.most_over_limit + 1), plan.arrivals) << percentile;
  }
}

TEST(JudgeTrial, CountsFromTheIntendedStart) {
  const TrialPlan plan{{3 * kMs, 50}, 4, 1};
  const std::vector<std::int64_t> arrivals = {1 * kMs, 2 * kMs, 3 * kMs, 400 * kMs};
  // The second request stalls; the third, ready at once in a closed loop, has waited for it.
  const std::vector<std::int64_t> ends = {2 * kMs, 9 * kMs, 10 * kMs, 401 * kMs};
  const auto trial = judge_trial(10, arrivals, ends, plan);
  EXPECT_THAT(trial.latencies_ns, ElementsAre(1 * kMs, 7 * kMs, 7 * kMs, 1 * kMs));
  EXPECT_EQ(trial.over_limit, 2u);
  EXPECT_EQ(trial.least_ns, kMs);
  EXPECT_FALSE(trial.saturated);
  EXPECT_FALSE(trial.passes);
  EXPECT_TRUE(judge_trial(10, arrivals, ends, {{7 * kMs, 50}, 4, 1}).passes);
}

Trial queue_trial(double rate, std::int64_t service_ns, const TrialPlan& plan, std::uint64_t seed,
                  std::size_t executors = 1) {
  const auto arrivals = poisson_arrivals(rate, plan.arrivals, seed);
  const auto served = serve(arrivals, executors, [&](std::size_t) { return service_ns; });
  return judge_trial(rate, arrivals, ends_of(served), plan);
}

TEST(JudgeTrial, KnowsSaturationWhateverTheBound) {
  const auto plan = plan_trial({3'600'000 * kMs, 90}, 1000);
  const auto over = queue_trial(1250, kMs, plan, 1);
  EXPECT_TRUE(over.saturated);
  EXPECT_FALSE(over.passes);
  EXPECT_TRUE(over.latencies_ns.empty()) << "void";
  EXPECT_NEAR(over.achieved_per_s, 1000, 15);
  const auto under = queue_trial(900, kMs, plan, 1);
  EXPECT_FALSE(under.saturated);
  EXPECT_TRUE(under.passes);
  EXPECT_NEAR(under.achieved_per_s, 900, 5);
  EXPECT_FALSE(queue_trial(1250, kMs, plan, 1, 2).saturated) << "two executors do it";
}

TEST(JudgeTrial, OneStallAtTheEndIsNoSaturation) {
  const auto plan = plan_trial({kMs, 90}, 500);
  const auto arrivals = poisson_arrivals(200, plan.arrivals, 1);
  const auto served =
      serve(arrivals, 1, [&](std::size_t i) { return i + 20 == plan.arrivals ? 200 * kMs : kMs; });
  EXPECT_FALSE(judge_trial(200, arrivals, ends_of(served), plan).saturated);
}

TEST(JudgeTrial, AGivenUpTrialNeverPasses) {
  const auto plan = plan_trial({kMs, 90}, 500);
  const auto arrivals = poisson_arrivals(10, plan.arrivals, 1);
  auto ends = ends_of(serve(arrivals, 1, [](std::size_t) { return kMs; }));
  EXPECT_TRUE(judge_trial(10, arrivals, ends, plan).passes);
  ends.pop_back();
  EXPECT_FALSE(judge_trial(10, arrivals, ends, plan).passes);
  EXPECT_FALSE(judge_trial(10, arrivals, {}, plan).passes);
}

TEST(JudgeTrial, AFewRequestsInARowAreNoSaturation) {
  const auto plan = plan_trial({kMs / 2, 99}, 500);
  const std::vector<std::int64_t> arrivals(plan.arrivals, 7 * kMs);
  const auto ends =
      ends_of(serve(std::span(arrivals).first(3), 1, [](std::size_t) { return kMs; }));
  const auto trial = judge_trial(10, arrivals, ends, plan);
  EXPECT_FALSE(trial.saturated);
  EXPECT_EQ(trial.over_limit, 3u);
  EXPECT_EQ(trial.least_ns, kMs);
}

/// Passes up to `truth`.
RunTrial up_to(double truth, std::vector<double>& rates) {
  return [truth, &rates](double rate) -> std::optional<Trial> {
    rates.push_back(rate);
    return Trial{.offered_per_s = rate, .achieved_per_s = rate, .passes = rate <= truth};
  };
}

TEST(HighestRate, BracketsTheTruthWithinFivePercent) {
  for (int i = 0; i < 60; ++i) {
    const double truth = 13 * std::pow(1.07, i);  // up to 704
    std::vector<double> rates;
    const auto search = highest_rate(100, up_to(truth, rates));
    ASSERT_TRUE(search.best) << truth;
    const double passes = search.trials[*search.best].offered_per_s;
    EXPECT_LE(passes, truth);
    EXPECT_GT(search.fails_per_s.value(), truth);
    EXPECT_LE(*search.fails_per_s / passes, 1.05) << truth;
    EXPECT_LE(rates.size(), 8u);
    EXPECT_EQ(rates.front(), 100);
  }
}

TEST(HighestRate, SaysWhenEvenTheLowestFails) {
  std::vector<double> rates;
  const auto search = highest_rate(100, up_to(12, rates));
  EXPECT_FALSE(search.best);
  EXPECT_EQ(search.fails_per_s, 12.5);
  EXPECT_THAT(rates, ElementsAre(100, 50, 25, 12.5));
}

TEST(HighestRate, GoesWhereASaturatedTrialPoints) {
  std::vector<double> rates;
  const auto search = highest_rate(6400, [&](double rate) -> std::optional<Trial> {
    rates.push_back(rate);
    return Trial{.offered_per_s = rate,
                 .achieved_per_s = std::min(rate, 100.0),
                 .saturated = rate > 100,
                 .passes = rate < 80};
  });
  EXPECT_THAT(std::vector(rates.begin(), rates.begin() + 3), ElementsAre(6400, 100, 50));
  EXPECT_NEAR(search.trials.at(search.best.value()).offered_per_s, 78, 2);
  EXPECT_GT(search.fails_per_s.value(), 79);
}

TEST(HighestRate, SaysWhenNothingFails) {
  std::vector<double> rates;
  const auto search = highest_rate(100, up_to(1e9, rates));
  EXPECT_FALSE(search.fails_per_s);
  EXPECT_EQ(search.best, 3u);
  EXPECT_THAT(rates, ElementsAre(100, 200, 400, 800));
}

TEST(HighestRate, EndsWhenATrialDoesNotRun) {
  int left = 3;
  const auto search = highest_rate(100, [&](double rate) -> std::optional<Trial> {
    if (left-- == 0) return std::nullopt;
    return Trial{.offered_per_s = rate, .achieved_per_s = rate, .passes = rate < 30};
  });
  EXPECT_TRUE(search.stopped);
  EXPECT_EQ(search.trials.size(), 3u);
}

// P(wait <= t) in M/D/1 (Erlang 1909), in units of the service time.
double wait_cdf(double t, double utilisation) {
  double sum = 0, sign = 1;
  for (int k = 0; k <= static_cast<int>(t); ++k, sign = -sign) {
    const double x = utilisation * (t - k);
    sum += sign * std::exp(x + (k > 0 ? k * std::log(x) : 0) - std::lgamma(k + 1));
  }
  return (1 - utilisation) * sum;
}

// The utilisation at which `share` of the requests end within `bound` service times.
double highest_utilisation(double share, double bound) {
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (wait_cdf(bound - 1, middle) >= share ? low : high) = middle;
  }
  return low;
}

// Forty searches of a queue, each on arrivals of its own. What is found lies below the truth as a
// rule, because a trial passes only when it shows that the percentile holds; not always, because
// latencies of a queue hang together.
TEST(HighestRate, FindsThatOfAQueue) {
  constexpr std::uint64_t kSearches = 40;
  for (const double percentile : {50.0, 90.0, 99.0})
    for (const double bound : {4.0, 8.0}) {
      const auto plan = plan_trial({static_cast<std::int64_t>(bound * kMs), percentile}, 1000);
      const double truth = 1000 * highest_utilisation(percentile / 100, bound);
      double sum = 0;
      for (std::uint64_t seed = 0; seed < kSearches; ++seed) {
        std::uint64_t number = 100 * seed;
        const auto search = highest_rate(1000, [&](double rate) -> std::optional<Trial> {
          return queue_trial(rate, kMs, plan, number++);
        });
        const double found = search.trials.at(search.best.value()).offered_per_s;
        EXPECT_LE(search.fails_per_s.value() / found, 1.05);
        EXPECT_GT(found, 0.72 * truth) << percentile << " " << bound;
        EXPECT_LT(found, 1.08 * truth) << percentile << " " << bound;
        sum += found;
      }
      EXPECT_GT(sum / kSearches, 0.86 * truth) << percentile << " " << bound;
      EXPECT_LT(sum / kSearches, truth) << percentile << " " << bound;
    }
}

// 1 / 8 of the closed loop is the lowest rate that is tried, and a request takes 1 ms at least.
TEST(HighestRate, OfAQueueThatNeverKeepsTheBound) {
  const auto plan = plan_trial({kMs / 2, 90}, 1000);
  const auto search = highest_rate(
      1000, [&](double rate) -> std::optional<Trial> { return queue_trial(rate, kMs, plan, 1); });
  EXPECT_FALSE(search.best);
  EXPECT_EQ(search.trials.back().offered_per_s, 125);
  EXPECT_EQ(search.trials.back().least_ns, kMs);
}

TEST(HighestRate, OfAQueueThatAlwaysKeepsTheBoundIsItsCapacity) {
  const auto plan = plan_trial({3'600'000 * kMs, 99}, 1000);
  const auto search = highest_rate(
      900, [&](double rate) -> std::optional<Trial> { return queue_trial(rate, kMs, plan, 1); });
  EXPECT_NEAR(search.trials.at(search.best.value()).offered_per_s, 1000, 40);
  EXPECT_TRUE(search.trials.at(1).saturated) << "at twice the closed loop's rate";
}

TEST(LatencyBound, RefusesWhatIsNone) {
  EXPECT_EQ(latency_bound(0.5, 99.9).bound_ns, 500'000);
  for (const double ms : {0.0, -1.0, 3.7e6, 1e300, std::nan("")})
    EXPECT_THROW(latency_bound(ms, 99), Error) << ms;
  EXPECT_THROW(latency_bound(1, 98), Error);
  EXPECT_THROW(latency_bound(1, std::nan("")), Error);
}

Json rate_values(const RateSearch& search) {
  auto values = Json::object();
  put_rate(values, search, {3 * kMs, 90}, 4);
  return values;
}

TEST(PutRate, TellsTheBracketAndTheLatenciesOfTheBest) {
  const RateSearch search{.trials = {{.offered_per_s = 100, .arrivals = 3, .over_limit = 3},
                                     {.offered_per_s = 50,
                                      .achieved_per_s = 50,
                                      .arrivals = 44,
                                      .passes = true,
                                      .latencies_ns = std::vector<std::int64_t>(44, 2 * kMs)}},
                          .best = 1,
                          .fails_per_s = 100};
  const auto values = rate_values(search);
  EXPECT_EQ(values.at("rate_within_bound_per_s"), 50);
  EXPECT_EQ(values.at("rate_within_bound_samples_per_s"), 200);
  EXPECT_EQ(values.at("rate_fails_per_s"), 100);
  EXPECT_EQ(values.at("rate_bound_ns"), 3 * kMs);
  EXPECT_EQ(values.at("rate_percentile"), 90);
  EXPECT_EQ(values.at("rate_latency_p90_ns"), 2 * kMs);
  EXPECT_TRUE(values.at("rate_latency_p99_ns").is_null());
  EXPECT_EQ(values.at("rate_latency_p99_ns_why"), "p99 needs 459 timings, has 44");
  EXPECT_EQ(values.at("rate_trials").size(), 2u);
  EXPECT_EQ(values.at("rate_trials")[1].at("passes"), true);
}

TEST(PutRate, WhatWasNotFoundHasAReasonAndTheNearestFigure) {
  const RateSearch slow{
      .trials = {{.offered_per_s = 12.5, .arrivals = 3, .over_limit = 3, .least_ns = 41'200'000}},
      .fails_per_s = 12.5};
  EXPECT_TRUE(rate_values(slow).at("rate_within_bound_per_s").is_null());
  EXPECT_EQ(rate_values(slow).at("rate_within_bound_per_s_why"),
            "even at 12.5 batches/s, the lowest rate tried, 3 of 3 took longer than 3 ms; the "
            "fastest took 41.2 ms");
  const RateSearch full{.trials = {{.offered_per_s = 12.5,
                                    .achieved_per_s = 7.25,
                                    .arrivals = 200,
                                    .saturated = true}},
                        .fails_per_s = 12.5};
  EXPECT_EQ(rate_values(full).at("rate_within_bound_per_s_why"),
            "even at 12.5 batches/s, the lowest rate tried, no more than 7.25 batches/s came out");
  const RateSearch easy{.trials = {{.offered_per_s = 800, .passes = true}}, .best = 0};
  EXPECT_EQ(rate_values(easy).at("rate_fails_per_s_why"),
            "no rate failed, the highest tried being 800 batches/s");
}

}  // namespace
}  // namespace inferometer::measure
