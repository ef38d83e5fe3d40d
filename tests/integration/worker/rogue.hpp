// SPDX-License-Identifier: Apache-2.0
// What the worker tests share.
#pragma once

#include <vector>

#include "inferometer/error.hpp"
#include "process/worker.hpp"

namespace inferometer::process {

inline WorkerOptions rogue(std::map<std::string, std::string> environment = {}) {
  WorkerOptions options;
  options.program = ROGUE_WORKER;
  options.environment = std::move(environment);
  return options;
}

/// Inputs of the fake model, in ordinary memory.
struct Inputs {
  explicit Inputs(std::int64_t rows = 2) : x(static_cast<std::size_t>(rows) * 4) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) - 2;
    views = {View(x.data(), {rows, 4}), View(&k, {})};
  }
  std::vector<float> expected() const {
    std::vector<float> y(x);
    for (float& value : y) value *= static_cast<float>(k);
    return y;
  }
  std::vector<float> x;
  std::int64_t k = 3;
  std::vector<View> views;
};

/// The error that `action` throws.
template <class Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {Status::Ok, "nothing was thrown"};
}

}  // namespace inferometer::process
