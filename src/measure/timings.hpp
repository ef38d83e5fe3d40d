// SPDX-License-Identifier: Apache-2.0
// From timings to Field values.
#pragma once

#include <span>

#include "base/json.hpp"
#include "measure/canary.hpp"
#include "measure/open_loop.hpp"
#include "measure/schedule.hpp"

namespace inferometer::measure {

/// The throughput_* keys, batch_time_ns, samples, batches and rounds, from one cell's blocks (one
/// per kept round). Rates are taken per block, never pooled.
void put_throughput(Json& values, std::span<const BlockTimings> blocks);

/// The latency_* keys from every timing; percentiles that have too few are null with the reason.
void put_latency(Json& values, std::span<const std::int64_t> timings_ns);

/// noise_verdict and the canary_* keys.
void put_noise(Json& values, const NoiseVerdict& verdict);

/// The rate_* keys but rate_capacity_per_s, from a search that wasn't stopped. What was not found
/// is null, the reason with the nearest figure.
void put_rate(Json& values, const RateSearch& search, const LatencyBound& bound,
              std::int64_t batch_rows);

}  // namespace inferometer::measure
