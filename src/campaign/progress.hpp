// SPDX-License-Identifier: Apache-2.0
// How a long run tells what it is doing.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace inferometer::campaign {

struct ProgressEvent {
  std::string doing;             ///< "resnet50.onnx batch 4, launch 2/5, round 3/8"
  double share = 0;              ///< of all the work, 0..1, never decreasing
  std::optional<double> left_s;  ///< none until enough is done to tell
};

/// Called on the caller's thread, between blocks only: its time is never measured.
using Progress = std::function<void(const ProgressEvent&)>;

}  // namespace inferometer::campaign
