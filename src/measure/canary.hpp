// SPDX-License-Identifier: Apache-2.0
// The canary: a fixed piece of work, run between rounds on the engine's CPUs. When it takes longer,
// the machine was worth less. From its times comes the noise verdict.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace inferometer::measure {

/// What each of the two bursts aims at in a round of this length: both together take 4 % of it, so
/// that the canary with all its waking stays within 5 %; and neither more than kCanaryNs nor less
/// than can be told from noise.
inline constexpr std::int64_t kCanaryNs = 2'000'000;
std::int64_t canary_aim_ns(std::int64_t round_ns);

/// How many rounds of this length share one canary, so that the least that can be told from noise
/// stays within 5 %.
std::int64_t rounds_per_canary(std::int64_t round_ns);

/// How much work: fixed once per machine, so that times can be compared.
struct CanaryWork {
  std::int64_t fma_steps = 0;
  std::int64_t stream_bytes = 0;
};

/// Less work of the same kind, for work that was calibrated for kCanaryNs.
CanaryWork scaled(const CanaryWork& work, std::int64_t aim_ns);

struct CanaryReading {
  std::int64_t fma_ns = 0;
  std::int64_t stream_ns = 0;
};

/// Holds the arrays of the stream burst, far larger than caches; each burst takes the next window
/// of them, so that it always comes from memory. Belongs to one thread, in a process of its own:
/// its pages would be counted as an engine's.
class Canary {
 public:
  /// Bursts run on `threads` threads at once; the slowest counts. Throws Error{Invalid} out of
  /// bounds (1..1024 threads).
  explicit Canary(int threads = 1);
  ~Canary();
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;

  /// Work that takes about `aim_ns` for each burst, here and now (the best of a few tries).
  CanaryWork calibrate(std::int64_t aim_ns = kCanaryNs);
  /// FMA burst, then stream burst. Throws Error{Invalid} for work out of bounds.
  CanaryReading run(const CanaryWork& work);

  /// The same for a process border. Request: {} or {"fma_steps", "stream_bytes"}; without them the
  /// first request calibrates and later ones repeat that work. Answer: both of those and the Field
  /// keys canary_fma_ns, canary_stream_ns. Throws Error{Invalid} naming key and bound.
  Json answer(const Json& request);

 private:
  struct Arrays;
  int threads_;
  std::unique_ptr<Arrays> arrays_;
  CanaryWork work_;
};

/// The reading and the work in an answer. Throw Error{Invalid} naming the key.
CanaryReading canary_reading(const Json& answer);
CanaryWork canary_work(const Json& answer);
Json to_json(const CanaryWork& work);  ///< a request

/// A round is rejected only for this: one of the canary's times changed by more than 25 % within
/// it.
bool changed_within(const CanaryReading& before, const CanaryReading& after);

enum class Noise { Fit, Noisy, Unfit };
std::string_view to_string(Noise noise) noexcept;

/// fit: spread <= 10 % and at most a tenth of the rounds rejected; unfit: spread > 50 % or more
/// than half rejected; noisy: between, or too few readings (< 5) to tell.
struct NoiseVerdict {
  Noise noise = Noise::Noisy;
  double spread = 0;          ///< (p90 - p10) / p50, the larger of FMA and stream
  double rejected_share = 0;  ///< of pairs of neighbouring readings
  CanaryReading median;
  std::string text;  ///< "noisy: canary spread 23 %, 1 of 8 rounds rejected"
};
/// `readings` stand between rounds: one more than there are rounds.
NoiseVerdict judge(std::span<const CanaryReading> readings);

}  // namespace inferometer::measure
