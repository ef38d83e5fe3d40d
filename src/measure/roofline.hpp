// SPDX-License-Identifier: Apache-2.0
// The machine's physical limit: peak of an FMA loop and of a stream loop, measured, and a cell's
// share of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "measure/fma.hpp"

namespace inferometer::measure {

/// A rate with its own spread over bursts.
struct Peak {
  double per_s = 0;      ///< of the best burst: a peak is what the machine can do undisturbed
  double median = 0;     ///< per second, of all bursts
  double spread = 0;     ///< (p90 - p10) / p50
  std::string_view isa;  ///< of the loop; empty for a bandwidth
  int threads = 0;
};

struct PeakOptions {
  int threads = 1;
  int bursts = 15;
  std::int64_t burst_ns = 4'000'000;  ///< aim per burst
  DType dtype = DType::F32;           ///< of the multiply-adds
  const FmaLoop* loop = nullptr;      ///< null: best_loop(dtype)
};

/// Multiply-adds per second, counted as two operations; one thread per CPU of the affinity, round
/// robin. Throws Error{Invalid} for threads or bursts below 1, Error{Unavailable} when this CPU has
/// no instruction for the dtype.
Peak measure_peak_flops(const PeakOptions& options);
/// Bytes per second read and written by a = b + s * c over arrays far larger than the caches.
Peak measure_bandwidth(const PeakOptions& options);

/// What one batch must cost at least.
struct Floor {
  double compute_ns = 0;
  double memory_ns = 0;
  double ns() const noexcept { return compute_ns > memory_ns ? compute_ns : memory_ns; }
};
Floor floor_of(double flops, double bytes, double peak_flops_per_s, double bandwidth_bytes_per_s);

/// floor over measured time.
double share_of(const Floor& floor, double batch_time_ns);
/// Above 105 % something is not as counted: the text to warn with; else empty.
std::string share_warning(double share);

}  // namespace inferometer::measure
