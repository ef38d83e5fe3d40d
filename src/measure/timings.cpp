// SPDX-License-Identifier: Apache-2.0
#include "measure/timings.hpp"

#include <fmt/format.h>

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

void set(Json& values, const std::string& key, Json value) {
  values[std::string(field(key).key)] = std::move(value);
}

void set_missing(Json& values, const std::string& key, const std::string& why) {
  set(values, key, nullptr);
  values[key + "_why"] = why;
}

void put_percentiles(Json& values, const std::string& prefix, std::span<const double> timings) {
  for (const auto& [key, share] : kPercentiles) {
    const auto found = percentile(timings, share);
    if (found.value)
      set(values, prefix + key, std::llround(*found.value));
    else
      set_missing(values, prefix + key, found.why);
  }
}

Json to_json(const Trial& trial) {
  return {{"offered_per_s", trial.offered_per_s}, {"achieved_per_s", trial.achieved_per_s},
          {"arrivals", trial.arrivals},           {"over_limit", trial.over_limit},
          {"saturated", trial.saturated},         {"passes", trial.passes}};
}

// The last trial was that of the lowest rate.
std::string why_no_rate(const RateSearch& search, const LatencyBound& bound) {
  const auto& lowest = search.trials.back();
  const auto even =
      fmt::format("even at {:.3g} batches/s, the lowest rate tried, ", lowest.offered_per_s);
  if (lowest.saturated)
    return even + fmt::format("no more than {:.3g} batches/s came out", lowest.achieved_per_s);
  return even + fmt::format("{} of {} took longer than {:g} ms; the fastest took {:.3g} ms",
                            lowest.over_limit, lowest.arrivals,
                            static_cast<double>(bound.bound_ns) / 1e6,
                            static_cast<double>(lowest.least_ns) / 1e6);
}

void put_best(Json& values, const Trial& best, std::int64_t batch_rows) {
  set(values, "rate_within_bound_per_s", best.offered_per_s);
  set(values, "rate_within_bound_samples_per_s",
      best.offered_per_s * static_cast<double>(batch_rows));
  put_percentiles(values, "rate_",
                  std::vector<double>(best.latencies_ns.begin(), best.latencies_ns.end()));
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
  put_percentiles(values, "", timings);
  if (timings.empty()) return;
  set(values, "latency_min_ns", std::ranges::min(timings_ns));
  set(values, "latency_max_ns", std::ranges::max(timings_ns));
  set(values, "latency_mean_ns", mean(timings));
}

void put_noise(Json& values, const NoiseVerdict& verdict) {
  set(values, "noise_verdict", to_string(verdict.noise));
  set(values, "canary_fma_ns", verdict.median.fma_ns);
  set(values, "canary_stream_ns", verdict.median.stream_ns);
  set(values, "canary_spread", verdict.spread);
}

void put_rate(Json& values, const RateSearch& search, const LatencyBound& bound,
              std::int64_t batch_rows) {
  set(values, "rate_bound_ns", bound.bound_ns);
  set(values, "rate_percentile", bound.percentile);
  auto trials = Json::array();
  for (const auto& trial : search.trials) trials.push_back(to_json(trial));
  set(values, "rate_trials", std::move(trials));
  if (search.best)
    put_best(values, search.trials[*search.best], batch_rows);
  else
    set_missing(values, "rate_within_bound_per_s", why_no_rate(search, bound));
  if (search.fails_per_s)
    set(values, "rate_fails_per_s", *search.fails_per_s);
  else
    set_missing(values, "rate_fails_per_s",
                fmt::format("no rate failed, the highest tried being {:.3g} batches/s",
                            search.trials.back().offered_per_s));
}

}  // namespace inferometer::measure
