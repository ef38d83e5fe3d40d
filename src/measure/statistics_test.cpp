// SPDX-License-Identifier: Apache-2.0
#include "measure/statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "inferometer/error.hpp"

namespace inferometer::measure {
namespace {

using ::testing::HasSubstr;
using Values = std::vector<double>;

// std::normal_distribution differs between libraries; this doesn't.
double normal(std::mt19937_64& random) {
  const auto uniform = [&] { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; };
  return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * M_PI * uniform());
}

TEST(Statistics, OrderStatistics) {
  EXPECT_DOUBLE_EQ(median(Values{3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median(Values{4, 1, 2, 3}), 2.5);
  EXPECT_DOUBLE_EQ(quantile(Values{10, 20, 30, 40, 50}, 0.1), 14);
  EXPECT_DOUBLE_EQ(quantile(Values{7}, 0.9), 7);
  EXPECT_DOUBLE_EQ(mean(Values{1, 2, 6}), 3);
  EXPECT_DOUBLE_EQ(root_mean_square(Values{3, -4}), std::sqrt(12.5));
}

TEST(Statistics, BinomialIsExact) {
  EXPECT_NEAR(binomial_cdf(0, 7, 0.5), 1.0 / 128, 1e-14);
  EXPECT_NEAR(binomial_cdf(1, 7, 0.5), 8.0 / 128, 1e-14);
  EXPECT_NEAR(binomial_cdf(6, 7, 0.5), 127.0 / 128, 1e-14);
  EXPECT_DOUBLE_EQ(binomial_cdf(7, 7, 0.5), 1);
  EXPECT_NEAR(binomial_cdf(0, 459, 0.01), std::pow(0.99, 459), 1e-12);
}

TEST(Statistics, EarlyStoppingTableOfMeasuring) {
  const std::vector<std::pair<double, std::vector<std::size_t>>> table = {
      {0.5, {7, 11, 14}},
      {0.9, {44, 64, 81}},
      {0.95, {90, 130, 165}},
      {0.99, {459, 662, 838}},
      {0.999, {4603, 6636, 8403}}};
  for (const auto& [share, counts] : table)
    for (std::size_t over_limit = 0; over_limit < counts.size(); ++over_limit)
      EXPECT_EQ(early_stopping_timings(share, over_limit), counts[over_limit])
          << share << " " << over_limit;
}

TEST(Statistics, StudentsT) {
  EXPECT_NEAR(t_quantile(0.975, 1), 12.7062, 1e-4);
  EXPECT_NEAR(t_quantile(0.975, 4), 2.77645, 1e-5);
  EXPECT_NEAR(t_quantile(0.995, 9), 3.24984, 1e-5);
  EXPECT_NEAR(t_quantile(0.975, 1e6), 1.95996, 1e-5);
  EXPECT_NEAR(t_quantile(0.025, 4), -2.77645, 1e-5);
  const auto interval = t_interval(Values{1, 2, 3, 4, 5}).value();
  EXPECT_DOUBLE_EQ(interval.estimate, 3);
  EXPECT_NEAR(interval.upper - 3, 2.77645 * std::sqrt(0.5), 1e-5);
  EXPECT_NEAR(3 - interval.lower, 2.77645 * std::sqrt(0.5), 1e-5);
  EXPECT_FALSE(t_interval(Values{1}));
}

TEST(Statistics, MedianIntervalTakesExactRanks) {
  EXPECT_FALSE(median_interval(Values{1, 2, 3, 4, 5}));
  const auto six = median_interval(Values{6, 5, 4, 3, 2, 1}).value();
  EXPECT_EQ(six.lower, 1);
  EXPECT_EQ(six.upper, 6);
  Values twenty(20);
  for (int i = 0; i < 20; ++i) twenty[static_cast<std::size_t>(i)] = i + 1;
  const auto interval = median_interval(twenty).value();  // 6th and 15th: 95.86 %
  EXPECT_EQ(interval.lower, 6);
  EXPECT_EQ(interval.upper, 15);
  EXPECT_DOUBLE_EQ(interval.estimate, 10.5);
}

TEST(Statistics, MedianIntervalCoversAsItSays) {
  std::mt19937_64 random(7);
  for (const std::size_t n : {8u, 20u}) {
    int covered = 0;
    for (int trial = 0; trial < 4000; ++trial) {
      Values values(n);
      for (auto& value : values) value = std::exp(normal(random));
      const auto interval = median_interval(values).value();
      covered += interval.lower <= 1 && 1 <= interval.upper;
    }
    EXPECT_GE(covered, 3800) << n;  // at least 95 %: it is conservative
    EXPECT_LE(covered, 3990) << n;
  }
}

TEST(Statistics, TheilSenFindsALineAndIgnoresOutliers) {
  Values series;
  for (int i = 0; i < 20; ++i) series.push_back(0.5 * i + (i % 2 ? 0.1 : -0.1));
  series[3] = 1000;
  const auto slope = theil_sen(series).value();
  EXPECT_NEAR(slope.estimate, 0.5, 0.02);
  EXPECT_GT(slope.lower, 0.4);
  EXPECT_LT(slope.upper, 0.6);
  EXPECT_FALSE(theil_sen(Values{1, 2, 3, 4}));
  const auto five = theil_sen(Values{1, 2, 3, 4, 5}).value();
  EXPECT_DOUBLE_EQ(five.lower, 1);
  EXPECT_DOUBLE_EQ(five.upper, 1);
}

TEST(Statistics, TheilSenKnowsGapsAndThinsLongSeries) {
  const auto slope = theil_sen(Values{0, 1, 2, 8, 9}, kConfidence, Values{0, 1, 2, 8, 9}).value();
  EXPECT_DOUBLE_EQ(slope.lower, 1);
  EXPECT_DOUBLE_EQ(slope.upper, 1);
  Values series;
  for (int i = 0; i < 100'000; ++i) series.push_back(2.0 * i);
  EXPECT_DOUBLE_EQ(theil_sen(series).value().estimate, 2);
}

TEST(Statistics, TheilSenCoversAsItSays) {
  std::mt19937_64 random(11);
  for (const std::size_t n : {8u, 20u, 70u}) {
    int covered = 0;
    const int trials = n > 50 ? 400 : 2000;
    for (int trial = 0; trial < trials; ++trial) {
      Values series(n);
      for (std::size_t i = 0; i < n; ++i)
        series[i] = 0.01 * static_cast<double>(i) + 0.05 * normal(random);
      const auto slope = theil_sen(series).value();
      covered += slope.lower <= 0.01 && 0.01 <= slope.upper;
    }
    EXPECT_GE(covered, trials * 0.93) << n;
    EXPECT_LT(covered, trials) << n;
  }
}

TEST(Percentile, NeedsEnoughTimings) {
  Values timings(100);
  for (int i = 0; i < 100; ++i) timings[static_cast<std::size_t>(i)] = 100 - i;
  EXPECT_EQ(percentile(timings, 0.5).value.value(), 50);
  EXPECT_EQ(percentile(timings, 0.9).value.value(), 90);
  EXPECT_EQ(percentile(timings, 0.95).value.value(), 95);
  const auto p99 = percentile(timings, 0.99);
  EXPECT_FALSE(p99.value);
  EXPECT_EQ(p99.why, "p99 needs 459 timings, has 100");
  EXPECT_THAT(percentile(timings, 0.999).why, HasSubstr("p99.9 needs 4603"));
  EXPECT_FALSE(percentile(Values{}, 0.5).value);
}

// One simulated launch: both cells share the machine's mood (an autocorrelated walk); the cell is
// `gain` times faster, off by its launch's own spread.
struct Simulation {
  std::size_t rounds = 8;
  double autocorrelation = 0.9;  ///< of the mood, from round to round
  double mood = 0.1;             ///< step of the walk
  double noise = 0.01;           ///< of each block, that its neighbour doesn't share
  double spread = 0.027;         ///< standard deviation between launches
};
Values launch(std::mt19937_64& random, const Simulation& simulation, double gain) {
  const double offset = simulation.spread * normal(random);
  Values control, cell;
  double mood = 0;
  for (std::size_t i = 0; i < simulation.rounds; ++i) {
    mood = simulation.autocorrelation * mood + simulation.mood * normal(random);
    control.push_back(50e6 * std::exp(mood + simulation.noise * normal(random)));
    cell.push_back(50e6 / gain * std::exp(mood + offset + simulation.noise * normal(random)));
  }
  return log_ratios(control, cell);
}

// Equal cells on a machine whose mood wanders far: in pairs they are equal to the last bit,
// whatever the order of their rounds.
TEST(Compare, RatiosArePairedRoundByRound) {
  const Values control = {10, 30, 20, 80, 40, 25}, cell = {20, 60, 40, 160, 80, 50};
  for (const double log : log_ratios(control, cell)) EXPECT_NEAR(log, -std::log(2.0), 1e-12);
  const Values turned = {30, 10, 20, 80, 40, 25};
  EXPECT_NEAR(log_ratios(turned, cell)[0], std::log(1.5), 1e-12);
}

class Coverage : public testing::TestWithParam<Simulation> {};

TEST_P(Coverage, FiveLaunchesCoverTheTruth) {
  std::mt19937_64 random(3);
  constexpr double kGain = 1.05;
  int covered = 0;
  for (int run = 0; run < 2000; ++run) {
    std::vector<Values> launches;
    for (int i = 0; i < 5; ++i) launches.push_back(launch(random, GetParam(), kGain));
    const auto comparison = compare(launches);
    covered += comparison.interval->lower <= kGain && kGain <= comparison.interval->upper;
    if (run == 0) {
      EXPECT_EQ(comparison.basis, "t over 5 launches");
    }
  }
  EXPECT_GE(covered, 1860) << "93 %";
  EXPECT_LE(covered, 1940) << "97 %";
}

INSTANTIATE_TEST_SUITE_P(Machines, Coverage,
                         testing::Values(Simulation{}, Simulation{.rounds = 20},
                                         Simulation{.autocorrelation = 0.99, .mood = 0.02},
                                         Simulation{.autocorrelation = 0},
                                         Simulation{.mood = 0.5, .noise = 0.05},
                                         Simulation{.spread = 0.002}, Simulation{.spread = 0.1}));

TEST(Compare, FivePercentIsToldApartAndAAIsNot) {
  constexpr Simulation kSteady{.rounds = 20, .spread = 0.01};
  std::mt19937_64 random(5);
  std::vector<Values> same, faster;
  for (int i = 0; i < 5; ++i) {
    same.push_back(launch(random, kSteady, 1.0));
    faster.push_back(launch(random, kSteady, 1.05));
  }
  EXPECT_FALSE(compare(same).told_apart());
  const auto comparison = compare(faster);
  EXPECT_TRUE(comparison.told_apart());
  EXPECT_GT(comparison.interval->lower, 1.0);
  EXPECT_NEAR(comparison.ratio, 1.05, 0.02);
  EXPECT_NEAR(comparison.half_width,
              (comparison.interval->upper - comparison.interval->lower) / 2 / comparison.ratio,
              1e-12);
}

TEST(Compare, OneLaunchClaimsNoLessThanTheLaunchSpread) {
  const std::vector<Values> launches = {Values(20, std::log(1.01))};
  const auto comparison = compare(launches, {.known_launch_spread = 0.03});
  EXPECT_NEAR(comparison.ratio, 1.01, 1e-12);
  EXPECT_NEAR(comparison.interval->lower, 1.01 / 1.03, 1e-12);
  EXPECT_NEAR(comparison.interval->upper, 1.01 * 1.03, 1e-12);
  EXPECT_FALSE(comparison.told_apart());
  EXPECT_THAT(comparison.basis, HasSubstr("1 launch"));
}

TEST(Compare, TooFewRoundsHaveNoInterval) {
  const std::vector<Values> launches = {Values{}, Values{0.1, 0.2, 0.3}};
  const auto comparison = compare(launches);
  EXPECT_NEAR(comparison.ratio, std::exp(0.2), 1e-12);
  EXPECT_FALSE(comparison.interval);
  EXPECT_THAT(comparison.why, HasSubstr("3 rounds"));
  EXPECT_FALSE(comparison.told_apart());
  EXPECT_THROW(compare(std::vector<Values>{{}}), Error);
}

TEST(Compare, FewLaunchesSaySo) {
  const std::vector<Values> launches = {{0.01, 0.02}, {0.03, 0.04}};
  EXPECT_THAT(compare(launches).basis, HasSubstr("fewer than 5"));
}

TEST(Compare, DriftIsSeen) {
  Values drifting, steady;
  std::mt19937_64 random(9);
  for (int i = 0; i < 20; ++i) {
    drifting.push_back(0.005 * i + 0.005 * normal(random));
    steady.push_back(0.005 * normal(random));
  }
  EXPECT_TRUE(compare(std::vector<Values>{drifting}).drifts());
  EXPECT_FALSE(compare(std::vector<Values>{steady}).drifts());
  EXPECT_TRUE(compare(std::vector<Values>{steady, drifting, steady}).drifts());
}

}  // namespace
}  // namespace inferometer::measure
