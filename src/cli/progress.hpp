// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that tells what is being done and how long it will take.
#pragma once

#include <chrono>
#include <iosfwd>

#include "campaign/progress.hpp"

namespace inferometer::cli {

/// Overwrites its own line. Not thread-safe.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;
  /// `columns`: of the terminal; longer lines would wrap and can't be overwritten.
  ProgressLine(std::ostream& out, std::size_t columns) : out_(out), columns_(columns) {}

  /// At most ten lines a second, the first at once.
  void show(const campaign::ProgressEvent& event, Clock::time_point now);
  void clear();

 private:
  std::ostream& out_;
  std::size_t columns_;
  bool shown_ = false;
  Clock::time_point last_;
};

/// "[ 42 %] resnet50.onnx batch 4, round 3/8, 1 min 12 s left".
std::string progress_text(const campaign::ProgressEvent& event, std::size_t columns);

}  // namespace inferometer::cli
