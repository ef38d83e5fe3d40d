// SPDX-License-Identifier: Apache-2.0
// Arrivals that don't wait for each other, served where the model is.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/runner.hpp"
#include "process/worker.hpp"

namespace inferometer::process {

/// Nanoseconds of a monotonic clock, and sleeping until one of them without spinning. Tests pass
/// their own.
struct Clock {
  std::function<std::int64_t()> now_ns;
  std::function<void(std::int64_t)> sleep_until_ns;
};
Clock monotonic_clock();

/// Throws Error{Invalid} unless there is at least one, at most kMaxArrivals, in ascending order,
/// from 0 to kMaxArrivalNs.
void check_arrivals(std::span<const std::int64_t> arrivals_ns);

/// Each of `executors` threads computes one batch, untimed, because engines keep state by thread;
/// then the clock starts and they take arrivals first come, first served. An arrival is never
/// skipped: when all are busy it starts late. `inputs`: one batch, in port order; `outputs`: shapes
/// of its results, of which every thread has its own, or empty when they depend on the data. Throws
/// what the model threw, once every thread has ended.
OpenLoopReport serve_arrivals(core::Runner& runner, std::span<const View> inputs,
                              std::span<const View> outputs, std::int64_t executors,
                              std::span<const std::int64_t> arrivals_ns, const GiveUp& give_up,
                              const Clock& clock = monotonic_clock());

}  // namespace inferometer::process
