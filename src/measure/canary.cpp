// SPDX-License-Identifier: Apache-2.0
#include "measure/canary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "inferometer/error.hpp"
#include "measure/burst.hpp"
#include "measure/fma.hpp"
#include "measure/statistics.hpp"

namespace inferometer::measure {
namespace {

constexpr int kMaxThreads = 1024;
constexpr std::int64_t kMaxSteps = 1'000'000'000'000;
constexpr std::int64_t kMaxStreamBytes = std::int64_t{1} << 40;
constexpr std::int64_t kArrayBytes = std::int64_t{192} << 20;  // several times a last-level cache
constexpr std::int64_t kRoundShare = 25;  // 4 %: asking for them and waking stay within 5 %
constexpr std::int64_t kLeastCanaryNs = 200'000;
constexpr double kRejectChange = 0.25;
constexpr double kFitSpread = 0.10, kUnfitSpread = 0.50;
constexpr double kFitRejected = 0.10, kUnfitRejected = 0.50;
constexpr std::size_t kLeastReadings = 5;

void check_bound(std::string_view key, std::int64_t value, std::int64_t limit) {
  if (value >= 1 && value <= limit) return;
  throw Error(Status::Invalid, fmt::format("canary: {} is {}, expected 1..{}", key, value, limit),
              {{"key", std::string(key)}});
}

std::int64_t integer(const Json& json, const char* key) {
  if (json.is_object() && json.contains(key) && json[key].is_number_integer())
    return json[key].get<std::int64_t>();
  throw Error(Status::Invalid, fmt::format("canary: expected an integer '{}'", key),
              {{"key", key}});
}

// Grows `amount` until `best time of three` is near the aim.
template <class Time>
std::int64_t amount_for(std::int64_t aim_ns, std::int64_t amount, std::int64_t limit, Time&& time) {
  for (int step = 0; step < 40; ++step) {
    const std::int64_t taken =
        std::max<std::int64_t>(1, std::min({time(amount), time(amount), time(amount)}));
    const double scale = static_cast<double>(aim_ns) / static_cast<double>(taken);
    const double wanted = static_cast<double>(amount) * std::min(scale, 8.0);
    amount = std::clamp<std::int64_t>(static_cast<std::int64_t>(wanted), 1, limit);
    if (scale < 8) break;
  }
  return amount;
}

double change(std::int64_t before, std::int64_t after) {
  const auto [low, high] = std::minmax(before, after);
  return low <= 0 ? 0 : static_cast<double>(high - low) / static_cast<double>(low);
}

double spread_of(std::span<const double> times) {
  const double middle = median(times);
  return middle <= 0 ? 0 : (quantile(times, 0.9) - quantile(times, 0.1)) / middle;
}

Noise noise_of(std::size_t readings, double spread, double rejected_share) {
  if (spread > kUnfitSpread || rejected_share > kUnfitRejected) return Noise::Unfit;
  if (readings < kLeastReadings) return Noise::Noisy;
  return spread <= kFitSpread && rejected_share <= kFitRejected ? Noise::Fit : Noise::Noisy;
}

}  // namespace

std::int64_t canary_aim_ns(std::int64_t round_ns) {
  return std::clamp(round_ns / (2 * kRoundShare), kLeastCanaryNs, kCanaryNs);
}

std::int64_t rounds_per_canary(std::int64_t round_ns) {
  constexpr std::int64_t kMostShared = 100;  // all of them are lost with a kill
  const auto least_ns = 2 * kLeastCanaryNs * kRoundShare;
  return std::clamp<std::int64_t>((least_ns + round_ns - 1) / std::max<std::int64_t>(1, round_ns),
                                  1, kMostShared);
}

CanaryWork scaled(const CanaryWork& work, std::int64_t aim_ns) {
  const auto part = [&](std::int64_t amount) {
    const double share = static_cast<double>(aim_ns) / static_cast<double>(kCanaryNs);
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(amount) * share));
  };
  return {part(work.fma_steps), part(work.stream_bytes)};
}

struct Canary::Arrays {
  std::vector<std::unique_ptr<StreamArrays>> of_thread;
};

Canary::Canary(int threads) : threads_(threads), arrays_(std::make_unique<Arrays>()) {
  check_bound("threads", threads, kMaxThreads);
  arrays_->of_thread.resize(static_cast<std::size_t>(threads));
}

Canary::~Canary() = default;

CanaryWork Canary::calibrate(std::int64_t aim_ns) {
  CanaryWork work{1000, 64 << 10};
  const auto bursts = [&](std::int64_t steps, std::int64_t bytes) { return run({steps, bytes}); };
  work.fma_steps = amount_for(aim_ns, work.fma_steps, kMaxSteps,
                              [&](std::int64_t steps) { return bursts(steps, 1).fma_ns; });
  work.stream_bytes = amount_for(aim_ns, work.stream_bytes, kMaxStreamBytes,
                                 [&](std::int64_t bytes) { return bursts(1, bytes).stream_ns; });
  return work_ = work;
}

CanaryReading Canary::run(const CanaryWork& work) {
  check_bound("fma_steps", work.fma_steps, kMaxSteps);
  check_bound("stream_bytes", work.stream_bytes, kMaxStreamBytes);
  const auto& loop = *best_loop(DType::F32);
  const auto arrays = [&](int thread) -> auto& {
    return arrays_->of_thread[static_cast<std::size_t>(thread)];
  };
  const auto prepare = [&](int thread) {
    if (!arrays(thread)) arrays(thread) = std::make_unique<StreamArrays>(kArrayBytes / threads_);
  };
  CanaryReading reading;
  reading.fma_ns = time_together(threads_, [](int) {}, [&](int) { loop.run(work.fma_steps); });
  reading.stream_ns = time_together(threads_, prepare,
                                    [&](int thread) { arrays(thread)->pass(work.stream_bytes); });
  return reading;
}

Json Canary::answer(const Json& request) {
  if (!request.is_object()) throw Error(Status::Invalid, "canary: the request is not an object");
  if (request.contains("fma_steps") || request.contains("stream_bytes"))
    work_ = canary_work(request);
  else if (work_.fma_steps == 0)
    calibrate();
  const auto reading = run(work_);
  return {{"fma_steps", work_.fma_steps},
          {"stream_bytes", work_.stream_bytes},
          {"canary_fma_ns", reading.fma_ns},
          {"canary_stream_ns", reading.stream_ns}};
}

CanaryReading canary_reading(const Json& answer) {
  return {integer(answer, "canary_fma_ns"), integer(answer, "canary_stream_ns")};
}

CanaryWork canary_work(const Json& answer) {
  return {integer(answer, "fma_steps"), integer(answer, "stream_bytes")};
}

Json to_json(const CanaryWork& work) {
  return {{"fma_steps", work.fma_steps}, {"stream_bytes", work.stream_bytes}};
}

bool changed_within(const CanaryReading& before, const CanaryReading& after) {
  return change(before.fma_ns, after.fma_ns) > kRejectChange ||
         change(before.stream_ns, after.stream_ns) > kRejectChange;
}

std::string_view to_string(Noise noise) noexcept {
  switch (noise) {
    case Noise::Fit:
      return "fit";
    case Noise::Noisy:
      return "noisy";
    case Noise::Unfit:
      return "unfit";
  }
  return "";
}

NoiseVerdict judge(std::span<const CanaryReading> readings) {
  NoiseVerdict verdict;
  if (readings.empty()) {
    verdict.text = "noisy: no canary has run, so nothing is known";
    return verdict;
  }
  std::vector<double> fma, stream;
  for (const auto& each : readings) {
    fma.push_back(static_cast<double>(each.fma_ns));
    stream.push_back(static_cast<double>(each.stream_ns));
  }
  verdict.median = {std::llround(median(fma)), std::llround(median(stream))};
  verdict.spread = std::max(spread_of(fma), spread_of(stream));
  std::size_t rejected = 0;
  const std::size_t rounds = readings.size() - 1;
  for (std::size_t i = 0; i < rounds; ++i) rejected += changed_within(readings[i], readings[i + 1]);
  if (rounds > 0)
    verdict.rejected_share = static_cast<double>(rejected) / static_cast<double>(rounds);
  verdict.noise = noise_of(readings.size(), verdict.spread, verdict.rejected_share);
  verdict.text = fmt::format("{}: canary spread {:.0f} %, {} of {} rounds rejected",
                             to_string(verdict.noise), verdict.spread * 100, rejected, rounds);
  return verdict;
}

}  // namespace inferometer::measure
