// SPDX-License-Identifier: Apache-2.0
#include "measure/timings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "measure/outcome.hpp"
#include "measure/statistics.hpp"

namespace inferometer::measure {
namespace {

constexpr std::array<std::pair<const char*, double>, 5> kPercentiles = {
    {{"latency_p50_ns", 0.5},
     {"latency_p90_ns", 0.9},
     {"latency_p95_ns", 0.95},
     {"latency_p99_ns", 0.99},
     {"latency_p99_9_ns", 0.999}}};

void set(Json& values, const char* key, Json value) {
  values[std::string(field(key).key)] = std::move(value);
}

}  // namespace

void put_throughput(Json& values, std::span<const BlockTimings> blocks) {
  std::vector<double> ns_per_sample, ns_per_batch;
  std::int64_t samples = 0, batches = 0;
  double wall_ns = 0;
  for (const auto& block : blocks) {
    if (block.samples <= 0 || block.batches <= 0 || block.wall_ns <= 0) continue;
    const auto wall = static_cast<double>(block.wall_ns);
    ns_per_sample.push_back(wall / static_cast<double>(block.samples));
    ns_per_batch.push_back(wall / static_cast<double>(block.batches));
    samples += block.samples;
    batches += block.batches;
    wall_ns += wall;
  }
  set(values, "samples", samples);
  set(values, "batches", batches);
  set(values, "rounds", ns_per_sample.size());
  if (ns_per_sample.empty()) return;
  set(values, "throughput_samples_per_s", 1e9 / median(ns_per_sample));
  set(values, "throughput_mean_samples_per_s", 1e9 * static_cast<double>(samples) / wall_ns);
  set(values, "throughput_uncontended_samples_per_s", 1e9 / quantile(ns_per_sample, 0.1));
  set(values, "batch_time_ns", median(ns_per_batch));
}

void put_latency(Json& values, std::span<const std::int64_t> timings_ns) {
  std::vector<double> timings(timings_ns.begin(), timings_ns.end());
  set(values, "latency_timings", timings.size());
  for (const auto& [key, share] : kPercentiles) {
    const auto found = percentile(timings, share);
    set(values, key, found.value ? Json(std::llround(*found.value)) : Json(nullptr));
    if (!found.value) values[std::string(key) + "_why"] = found.why;
  }
  if (timings.empty()) return;
  set(values, "latency_min_ns", std::ranges::min(timings_ns));
  set(values, "latency_max_ns", std::ranges::max(timings_ns));
  set(values, "latency_mean_ns", mean(timings));
}

}  // namespace inferometer::measure
