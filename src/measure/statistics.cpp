// SPDX-License-Identifier: Apache-2.0
#include "measure/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace inferometer::measure {
namespace {

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  std::ranges::sort(copy);
  return copy;
}

double quantile_of_sorted(std::span<const double> values, double share) {
  assert(!values.empty());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, values.size() - 1);
  const double weight = place - static_cast<double>(below);
  return values[below] + weight * (values[above] - values[below]);
}

// Continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8), evaluated by
// Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double value = d;
  const auto step = [&](double numerator) {
    d = 1 + numerator * d;
    c = 1 + numerator / c;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    if (std::abs(c) < kTiny) c = kTiny;
    value *= d * c;
    return std::abs(d * c - 1);
  };
  for (int i = 1; i < 500; ++i) {
    const double m = i;
    step(m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)));
    if (step(-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))) < 1e-15) break;
  }
  return value;
}

// Regularised incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double t_cdf(double t, double degrees) {
  const double tail = incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2;
  return t > 0 ? 1 - tail : tail;
}

// The largest k with P(discordant pairs <= k) <= tail among n! equally likely orders; none when
// already k = 0 is too likely. Counts of permutations by inversions, row by row.
std::optional<std::size_t> kendall_rank(std::size_t n, double tail) {
  std::vector<double> share = {1};
  for (std::size_t i = 2; i <= n; ++i) {
    std::vector<double> next(share.size() + i - 1, 0);
    for (std::size_t k = 0; k < share.size(); ++k)
      for (std::size_t j = 0; j < i; ++j) next[k + j] += share[k] / static_cast<double>(i);
    share = std::move(next);
  }
  double sum = 0;
  std::optional<std::size_t> rank;
  for (std::size_t k = 0; k < share.size() && (sum += share[k]) <= tail; ++k) rank = k;
  return rank;
}

// Above this the normal approximation of Kendall's statistic is indistinguishable, and the exact
// table costs time.
constexpr std::size_t kExactKendall = 60;

std::optional<std::size_t> slope_rank(std::size_t n, double confidence) {
  const double tail = (1 - confidence) / 2;
  if (n <= kExactKendall) return kendall_rank(n, tail);
  const auto count = static_cast<double>(n);
  const double pairs = count * (count - 1) / 2;
  const double sigma = std::sqrt(count * (count - 1) * (2 * count + 5) / 18);
  const double z = t_quantile(1 - tail, 1e6);
  return static_cast<std::size_t>(std::max(0.0, std::floor((pairs - z * sigma) / 2)));
}

}  // namespace

double mean(std::span<const double> values) {
  assert(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::span<const double> values) {
  return quantile(values, 0.5);
}

double quantile(std::span<const double> values, double share) {
  return quantile_of_sorted(sorted(values), share);
}

double root_mean_square(std::span<const double> values) {
  assert(!values.empty());
  const double sum = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double binomial_cdf(std::size_t k, std::size_t n, double p) {
  if (k >= n) return 1;
  return incomplete_beta(static_cast<double>(n - k), static_cast<double>(k) + 1, 1 - p);
}

std::optional<Interval> median_interval(std::span<const double> values, double confidence) {
  const auto n = values.size();
  std::size_t rank = 0;
  while (2 * (rank + 1) <= n && 1 - 2 * binomial_cdf(rank, n, 0.5) >= confidence) ++rank;
  if (rank == 0) return std::nullopt;
  const auto ordered = sorted(values);
  return Interval{quantile_of_sorted(ordered, 0.5), ordered[rank - 1], ordered[n - rank],
                  confidence};
}

double t_quantile(double share, double degrees) {
  double low = -1e6, high = 1e6;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (t_cdf(middle, degrees) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

std::optional<Interval> t_interval(std::span<const double> values, double confidence) {
  if (values.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double center = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  const double error = std::sqrt(squares / (n - 1) / n);
  const double reach = t_quantile((1 + confidence) / 2, n - 1) * error;
  return Interval{center, center - reach, center + reach, confidence};
}

std::optional<Interval> theil_sen(std::span<const double> series, double confidence,
                                  std::span<const double> steps) {
  assert(steps.empty() || steps.size() == series.size());
  const auto points = std::min(series.size(), kMostSlopePoints);
  if (points < 2) return std::nullopt;
  const auto rank = slope_rank(points, confidence);
  if (!rank) return std::nullopt;
  const auto place = [&](std::size_t point) { return point * series.size() / points; };
  const auto step = [&](std::size_t at) {
    return steps.empty() ? static_cast<double>(at) : steps[at];
  };
  std::vector<double> slopes;
  slopes.reserve(points * (points - 1) / 2);
  for (std::size_t i = 0; i < points; ++i)
    for (std::size_t j = i + 1; j < points; ++j)
      slopes.push_back((series[place(j)] - series[place(i)]) / (step(place(j)) - step(place(i))));
  std::ranges::sort(slopes);
  return Interval{quantile_of_sorted(slopes, 0.5), slopes[*rank], slopes[slopes.size() - 1 - *rank],
                  confidence};
}

}  // namespace inferometer::measure
