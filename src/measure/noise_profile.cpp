// SPDX-License-Identifier: Apache-2.0
#include "measure/noise_profile.hpp"

#include <algorithm>
#include <cmath>

#include "measure/statistics.hpp"

namespace inferometer::measure {
namespace {

constexpr std::int64_t kStartsPerWindow = 4;

std::span<const Repetition> between(std::span<const Repetition> series, std::int64_t from_ns,
                                    std::int64_t to_ns) {
  const auto first = std::ranges::lower_bound(series, from_ns, {}, &Repetition::start_ns);
  const auto last = std::ranges::lower_bound(series, to_ns, {}, &Repetition::start_ns);
  return {first, last};
}

// A rate is what a cell that ran through the whole window would report.
double log_mean(std::span<const Repetition> window) {
  double sum = 0;
  for (const auto& each : window) sum += static_cast<double>(each.work_ns);
  return std::log(sum / static_cast<double>(window.size()));
}

std::optional<double> interleaved_error(std::span<const Repetition> both) {
  std::vector<double> logs;
  for (std::size_t i = 0; i + 1 < both.size(); i += 2) {
    const double ratio = std::log(static_cast<double>(both[i].work_ns)) -
                         std::log(static_cast<double>(both[i + 1].work_ns));
    logs.push_back(i % 4 == 0 ? ratio : -ratio);  // neither cell always goes first
  }
  if (logs.empty()) return std::nullopt;
  return median(logs);
}

std::optional<double> rms(const std::vector<double>& errors) {
  if (errors.empty()) return std::nullopt;
  return root_mean_square(errors);
}

WindowError error_of(std::span<const Repetition> series, std::int64_t window_ns) {
  WindowError error{.window_ns = window_ns};
  std::vector<double> sequential, interleaved;
  const auto end_ns = series.empty() ? 0 : series.back().start_ns;
  for (std::int64_t at = 0; at + 2 * window_ns <= end_ns; at += window_ns / kStartsPerWindow) {
    const auto a = between(series, at, at + window_ns);
    const auto b = between(series, at + window_ns, at + 2 * window_ns);
    if (a.empty() || b.empty()) continue;
    ++error.pairs;
    sequential.push_back(log_mean(a) - log_mean(b));
    if (const auto both = interleaved_error(between(series, at, at + 2 * window_ns)))
      interleaved.push_back(*both);
  }
  error.sequential_rms = rms(sequential);
  error.interleaved_rms = rms(interleaved);
  return error;
}

}  // namespace

std::vector<WindowError> noise_profile(std::span<const Repetition> series,
                                       std::span<const std::int64_t> windows_ns) {
  std::vector<WindowError> errors;
  for (const auto window : windows_ns) errors.push_back(error_of(series, window));
  return errors;
}

}  // namespace inferometer::measure
