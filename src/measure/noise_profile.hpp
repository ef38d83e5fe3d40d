// SPDX-License-Identifier: Apache-2.0
// How wrong a comparison would be on this machine: a fixed piece of work is repeated for a while,
// and read as if it had been two cells (A/A), whose true ratio is 1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace inferometer::measure {

/// One repetition: when it began, from the start of the series, and how long it took.
struct Repetition {
  std::int64_t start_ns = 0;
  std::int64_t work_ns = 0;
};

/// The error of ln(A/A) for cells measured for so long each.
struct WindowError {
  std::int64_t window_ns = 0;
  /// Root mean square over pairs of neighbouring windows, one cell in each: measuring one after the
  /// other. None: the series is shorter than two windows.
  std::optional<double> sequential_rms;
  /// The same two windows, every other repetition belonging to the other cell, as the median of the
  /// ratios of neighbours: interleaved.
  std::optional<double> interleaved_rms;
  std::int64_t pairs = 0;  ///< of windows; they begin a quarter of a window apart
};

/// `series` ascends. Repetitions belong to the window in which they begin.
std::vector<WindowError> noise_profile(std::span<const Repetition> series,
                                       std::span<const std::int64_t> windows_ns);

}  // namespace inferometer::measure
