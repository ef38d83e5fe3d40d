// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "inferometer/error.hpp"
#include "measure/statistics.hpp"

namespace inferometer::measure {
namespace {

constexpr std::size_t kPublishedLaunches = 5;

Interval exponential(const Interval& logs) {
  return {std::exp(logs.estimate), std::exp(logs.lower), std::exp(logs.upper), logs.confidence};
}

void set_interval(Comparison& comparison, const Interval& logs) {
  comparison.interval = exponential(logs);
  comparison.ratio = comparison.interval->estimate;
  comparison.half_width =
      (comparison.interval->upper - comparison.interval->lower) / 2 / comparison.ratio;
}

void compare_launches(Comparison& comparison, std::span<const double> medians, double confidence) {
  set_interval(comparison, *t_interval(medians, confidence));
  comparison.basis = fmt::format("t over {} launches", medians.size());
  if (medians.size() < kPublishedLaunches)
    comparison.basis += fmt::format(" (fewer than {}: not to be published)", kPublishedLaunches);
}

void compare_rounds(Comparison& comparison, std::span<const double> logs,
                    const CompareOptions& options) {
  const double spread = std::log1p(options.known_launch_spread);
  comparison.ratio = std::exp(median(logs));
  comparison.basis = fmt::format("1 launch: binomial ranks, at least the launch spread of {:g} %",
                                 options.known_launch_spread * 100);
  auto interval = median_interval(logs, options.confidence);
  if (!interval) {
    comparison.why = fmt::format("1 launch of {} rounds: too few for an interval at {:g} %",
                                 logs.size(), options.confidence * 100);
    return;
  }
  interval->lower = std::min(interval->lower, interval->estimate - spread);
  interval->upper = std::max(interval->upper, interval->estimate + spread);
  set_interval(comparison, *interval);
}

const std::vector<double>& longest(std::span<const std::vector<double>> launches) {
  return *std::ranges::max_element(launches, {}, &std::vector<double>::size);
}

double beyond_zero(const Interval& interval) {
  return std::max(interval.lower, -interval.upper);
}

// Within launches only: from one to the next the level may jump. Each may drift, and the more there
// are the more often one seems to by chance: their false alarms together keep to 1 - confidence.
std::optional<Interval> drift_of(std::span<const std::vector<double>> launches,
                                 const CompareOptions& options, std::size_t count) {
  const double confidence = 1 - (1 - options.confidence) / static_cast<double>(count);
  std::optional<Interval> most;
  for (std::size_t i = 0; i < launches.size(); ++i) {
    const auto drift = options.rounds.empty()
                           ? theil_sen(launches[i], confidence)
                           : theil_sen(launches[i], confidence, options.rounds[i]);
    if (drift && (!most || beyond_zero(*drift) > beyond_zero(*most))) most = drift;
  }
  return most;
}

}  // namespace

std::vector<double> log_ratios(std::span<const double> control_ns,
                               std::span<const double> cell_ns) {
  assert(control_ns.size() == cell_ns.size());
  std::vector<double> logs;
  for (std::size_t i = 0; i < cell_ns.size(); ++i)
    logs.push_back(std::log(control_ns[i]) - std::log(cell_ns[i]));
  return logs;
}

Comparison compare(std::span<const std::vector<double>> launches, const CompareOptions& options) {
  std::vector<double> medians;
  for (const auto& logs : launches)
    if (!logs.empty()) medians.push_back(median(logs));
  if (medians.empty())
    throw Error(Status::Invalid, "nothing to compare: no round in which both control and cell ran");
  Comparison comparison;
  if (medians.size() == 1)
    compare_rounds(comparison, longest(launches), options);
  else
    compare_launches(comparison, medians, options.confidence);
  comparison.drift = drift_of(launches, options, medians.size());
  return comparison;
}

}  // namespace inferometer::measure
