// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "measure/statistics.hpp"

namespace inferometer::measure {

std::size_t early_stopping_timings(double share, std::size_t over_limit, double confidence) {
  const auto enough = [&](std::size_t n) {
    return binomial_cdf(over_limit, n, 1 - share) <= 1 - confidence;
  };
  std::size_t too_few = over_limit;
  std::size_t high = over_limit + 1;
  while (!enough(high)) too_few = high, high *= 2;
  while (high - too_few > 1) {
    const auto middle = too_few + (high - too_few) / 2;
    (enough(middle) ? high : too_few) = middle;
  }
  return high;
}

std::size_t most_over_limit(double share, std::size_t timings, double confidence) {
  std::size_t shown = 0;
  std::size_t too_many = timings;
  while (too_many - shown > 1) {
    const auto middle = shown + (too_many - shown) / 2;
    (binomial_cdf(middle, timings, 1 - share) <= 1 - confidence ? shown : too_many) = middle;
  }
  return shown;
}

Percentile percentile(std::span<const double> timings, double share) {
  const auto needed = early_stopping_timings(share, 0);
  if (timings.size() < needed)
    return {std::nullopt,
            fmt::format("p{:g} needs {} timings, has {}", share * 100, needed, timings.size())};
  std::vector<double> ordered(timings.begin(), timings.end());
  // The subtraction keeps 0.9 * 10 from being counted as 10 for want of one rounding error.
  const auto rank = std::ceil(share * static_cast<double>(ordered.size()) -
                              1e-9 * static_cast<double>(ordered.size()));
  const auto place = ordered.begin() + static_cast<std::ptrdiff_t>(std::max(1.0, rank)) - 1;
  std::ranges::nth_element(ordered, place);
  return {*place, {}};
}

}  // namespace inferometer::measure
