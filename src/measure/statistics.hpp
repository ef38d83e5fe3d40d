// SPDX-License-Identifier: Apache-2.0
// Statistics of timings: order statistics and intervals that assume nothing about the noise but
// independence of rounds. Every function copies what it must sort; NaN is a bug of the caller.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::measure {

inline constexpr double kConfidence = 0.95;

/// An estimate and the interval that covers the truth with probability >= confidence.
struct Interval {
  double estimate = 0;
  double lower = 0;
  double upper = 0;
  double confidence = kConfidence;
};

/// Of at least one value.
double mean(std::span<const double> values);
double median(std::span<const double> values);
/// Linear interpolation between order statistics; share 0..1.
double quantile(std::span<const double> values, double share);
/// Root of the mean square.
double root_mean_square(std::span<const double> values);

/// P(X <= k) for X ~ Binomial(n, p).
double binomial_cdf(std::size_t k, std::size_t n, double p);

/// From exact binomial ranks: [x_(d), x_(n+1-d)] with the largest d that still covers.
/// None when even the extremes don't (fewer than 6 values at 95 %).
std::optional<Interval> median_interval(std::span<const double> values,
                                        double confidence = kConfidence);

/// Mean with Student's interval. None for fewer than two values.
std::optional<Interval> t_interval(std::span<const double> values, double confidence = kConfidence);
/// The quantile of Student's t at `share` (0.975 for a two-sided 95 %).
double t_quantile(double share, double degrees);

/// Theil-Sen slope per step of a series; its interval from the exact distribution of Kendall's
/// statistic. `steps`: where each value stands, ascending; empty: 0, 1, 2, ... None when the series
/// is too short to exclude anything (fewer than 5 at 95 %). Time and memory grow with the square of
/// the length: of more than kMostSlopePoints values that many are taken, evenly.
std::optional<Interval> theil_sen(std::span<const double> series, double confidence = kConfidence,
                                  std::span<const double> steps = {});
inline constexpr std::size_t kMostSlopePoints = 1000;

/// The least number of timings that, with `over_limit` of them above a limit, shows at 99 % that
/// the percentile (share 0.99 for p99) lies below it.
std::size_t early_stopping_timings(double share, std::size_t over_limit, double confidence = 0.99);
/// The same asked the other way: how many of `timings` may lie above the limit. `timings` is at
/// least early_stopping_timings(share, 0).
std::size_t most_over_limit(double share, std::size_t timings, double confidence = 0.99);

/// A percentile (nearest rank), or the reason why there are too few timings for it.
struct Percentile {
  std::optional<double> value;
  std::string why;  ///< "p99 needs 459 timings, has 20"
};
Percentile percentile(std::span<const double> timings, double share);

/// ln(control / cell), round by round: positive = the cell is faster.
std::vector<double> log_ratios(std::span<const double> control_ns, std::span<const double> cell_ns);

/// A cell against its control. Above 1 = faster than the control.
struct Comparison {
  double ratio = 1;
  std::optional<Interval> interval;  ///< of the ratio; none: `why` says why
  std::string why;
  double half_width = 0;          ///< (upper - lower) / 2 / ratio; 0 without an interval
  std::string basis;              ///< "t over 5 launches", "1 launch: ..."
  std::optional<Interval> drift;  ///< slope of the log-ratio per round, in the launch of the most
  bool drifts() const noexcept { return drift && (drift->lower > 0 || drift->upper < 0); }
  /// The interval covers 1 (or there is none): the two are not told apart.
  bool told_apart() const noexcept {
    return interval && (interval->lower > 1 || interval->upper < 1);
  }
};

struct CompareOptions {
  double confidence = kConfidence;
  /// By how much medians of launches of one cell are known to differ here; one launch claims no
  /// less.
  double known_launch_spread = 0.03;
  /// The numbers of each launch's rounds, for drift; empty: none is left out.
  std::span<const std::vector<double>> rounds;
};

/// `launches`: the log-ratios of each launch, in round order; empty launches are left out. Launches
/// are the top level: two or more give Student's interval over their medians (five or more to be
/// published), one gives binomial ranks widened to the known spread. Throws Error{Invalid} when
/// there is no round at all.
Comparison compare(std::span<const std::vector<double>> launches,
                   const CompareOptions& options = {});

}  // namespace inferometer::measure
