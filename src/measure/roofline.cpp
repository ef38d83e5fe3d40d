// SPDX-License-Identifier: Apache-2.0
#include "measure/roofline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "inferometer/error.hpp"
#include "measure/burst.hpp"
#include "measure/statistics.hpp"

namespace inferometer::measure {
namespace {

constexpr double kHonestShare = 1.05;
constexpr std::int64_t kArrayBytes = std::int64_t{256} << 20;

void check(const PeakOptions& options) {
  if (options.threads >= 1 && options.threads <= 1024 && options.bursts >= 1 &&
      options.burst_ns >= 1)
    return;
  throw Error(Status::Invalid,
              fmt::format("roofline: {} threads, {} bursts of {} ns: expected 1..1024 threads and "
                          "at least one burst",
                          options.threads, options.bursts, options.burst_ns));
}

// `time(amount)` in ns; the first calls find the amount for one burst and warm the clocks up.
template <class Time>
Peak peak_of(const PeakOptions& options, double per_amount, std::int64_t amount, Time&& time) {
  std::int64_t taken = 0;
  while ((taken = time(amount)) < options.burst_ns / 4 && amount < (std::int64_t{1} << 50))
    amount *= 4;
  amount = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(static_cast<double>(amount) *
                                   static_cast<double>(options.burst_ns) /
                                   static_cast<double>(std::max<std::int64_t>(1, taken))));
  std::vector<double> rates;
  for (int burst = 0; burst < options.bursts; ++burst)
    rates.push_back(per_amount * static_cast<double>(amount) * 1e9 /
                    static_cast<double>(std::max<std::int64_t>(1, time(amount))));
  Peak peak;
  peak.per_s = std::ranges::max(rates);
  peak.median = median(rates);
  peak.spread = (quantile(rates, 0.9) - quantile(rates, 0.1)) / peak.median;
  peak.threads = options.threads;
  return peak;
}

}  // namespace

Peak measure_peak_flops(const PeakOptions& options) {
  check(options);
  const auto* loop = options.loop != nullptr ? options.loop : best_loop(options.dtype);
  if (loop == nullptr || !loop->can_run())
    throw Error(Status::Unavailable, fmt::format("this CPU or kernel has no multiply-add of {}",
                                                 to_string(options.dtype)));
  const double flops = static_cast<double>(loop->operations) * options.threads;
  auto peak = peak_of(options, flops, 1000, [&](std::int64_t steps) {
    return time_together(options.threads, [](int) {}, [&](int) { loop->run(steps); });
  });
  peak.isa = loop->isa;
  return peak;
}

Peak measure_bandwidth(const PeakOptions& options) {
  check(options);
  std::vector<std::unique_ptr<StreamArrays>> arrays(static_cast<std::size_t>(options.threads));
  const auto of = [&](int thread) -> auto& { return arrays[static_cast<std::size_t>(thread)]; };
  const auto prepare = [&](int thread) {
    if (!of(thread)) of(thread) = std::make_unique<StreamArrays>(kArrayBytes / options.threads);
  };
  return peak_of(options, options.threads, 1 << 20, [&](std::int64_t bytes) {
    return time_together(options.threads, prepare, [&](int thread) { of(thread)->pass(bytes); });
  });
}

Floor floor_of(double flops, double bytes, double peak_flops_per_s, double bandwidth_bytes_per_s) {
  return {flops / peak_flops_per_s * 1e9, bytes / bandwidth_bytes_per_s * 1e9};
}

double share_of(const Floor& floor, double batch_time_ns) {
  return floor.ns() / batch_time_ns;
}

std::string share_warning(double share) {
  if (share <= kHonestShare) return {};
  return fmt::format(
      "{:.0f} % of the roofline: the engine computes less than is counted (Winograd, "
      "sparsity, lower precision), or the peak was measured while disturbed",
      share * 100);
}

}  // namespace inferometer::measure
