// SPDX-License-Identifier: Apache-2.0
#include "measure/burst.hpp"

#include <immintrin.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <exception>
#include <thread>

#include "base/cpu.hpp"
#include "inferometer/error.hpp"

namespace inferometer::measure {
namespace {

// Enough independent accumulators for two pipelines of latency 4 or 5, few enough for 16 registers.
constexpr int kAccumulators = 12;
// x <- x * kScale + kShift stays near 1: no denormals, no infinities, at full speed.
constexpr float kScale = 0.999F, kShift = 0.001F;

// The compiler must believe that the result matters.
void keep(float value) {
  __asm__ volatile("" : : "x"(value));
}

// Three bodies and not one template: an intrinsic is only inlined into a function that is itself
// compiled for its instruction set.
void fma_sse(std::int64_t steps) {
  __m128 x[kAccumulators];
  for (auto& each : x) each = _mm_set1_ps(1);
  const __m128 scale = _mm_set1_ps(kScale), shift = _mm_set1_ps(kShift);
  for (std::int64_t step = 0; step < steps; ++step)
#pragma GCC unroll 12
    for (auto& each : x) each = _mm_add_ps(_mm_mul_ps(each, scale), shift);
  for (const auto& each : x) keep(_mm_cvtss_f32(each));
}

__attribute__((target("avx2,fma"))) void fma_avx2(std::int64_t steps) {
  __m256 x[kAccumulators];
  for (auto& each : x) each = _mm256_set1_ps(1);
  const __m256 scale = _mm256_set1_ps(kScale), shift = _mm256_set1_ps(kShift);
  for (std::int64_t step = 0; step < steps; ++step)
#pragma GCC unroll 12
    for (auto& each : x) each = _mm256_fmadd_ps(each, scale, shift);
  for (const auto& each : x) keep(_mm256_cvtss_f32(each));
}

__attribute__((target("avx512f"))) void fma_avx512(std::int64_t steps) {
  __m512 x[kAccumulators];
  for (auto& each : x) each = _mm512_set1_ps(1);
  const __m512 scale = _mm512_set1_ps(kScale), shift = _mm512_set1_ps(kShift);
  for (std::int64_t step = 0; step < steps; ++step)
#pragma GCC unroll 12
    for (auto& each : x) each = _mm512_fmadd_ps(each, scale, shift);
  for (const auto& each : x) keep(_mm512_cvtss_f32(each));
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void pin(const CpuList& cpus, int thread) {
  if (cpus.empty()) return;
  try {
    set_affinity({cpus[static_cast<std::size_t>(thread) % cpus.size()]});
  } catch (const Error&) {
    // Not allowed to narrow its own mask: the scheduler places it, and the spread shows it.
  }
}

struct Lap {
  std::int64_t start_ns = 0, end_ns = 0;
  std::exception_ptr problem;
};

}  // namespace

std::string_view to_string(Isa isa) noexcept {
  switch (isa) {
    case Isa::Sse:
      return "sse";
    case Isa::Avx2:
      return "avx2";
    case Isa::Avx512:
      return "avx512";
  }
  return "";
}

bool can_run(Isa isa) {
  __builtin_cpu_init();
  switch (isa) {
    case Isa::Sse:
      return true;
    case Isa::Avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::Avx512:
      return __builtin_cpu_supports("avx512f");
  }
  return false;
}

Isa best_isa() {
  for (const auto isa : {Isa::Avx512, Isa::Avx2})
    if (can_run(isa)) return isa;
  return Isa::Sse;
}

void fma_burst(Isa isa, std::int64_t steps) {
  if (!can_run(isa))
    throw Error(Status::Unavailable, "this CPU or kernel has no " + std::string(to_string(isa)));
  if (isa == Isa::Avx512)
    fma_avx512(steps);
  else if (isa == Isa::Avx2)
    fma_avx2(steps);
  else
    fma_sse(steps);
}

std::int64_t flops_per_step(Isa isa) noexcept {
  const int lanes = isa == Isa::Avx512 ? 16 : isa == Isa::Avx2 ? 8 : 4;
  return std::int64_t{2} * kAccumulators * lanes;
}

StreamArrays::StreamArrays(std::int64_t bytes)
    : memory_(static_cast<std::size_t>(std::max<std::int64_t>(bytes, 12 << 10)) / sizeof(float), 1),
      elements_(memory_.size() / 3) {}

void StreamArrays::pass(std::int64_t bytes) noexcept {
  constexpr float kFactor = 0.5F;
  auto left = static_cast<std::size_t>(bytes) / (3 * sizeof(float));
  while (left > 0) {
    const auto count = std::min(left, elements_ - at_);
    float* __restrict a = memory_.data() + at_;
    const float* __restrict b = a + elements_;
    const float* __restrict c = b + elements_;
    for (std::size_t i = 0; i < count; ++i) a[i] = b[i] + kFactor * c[i];
    keep(a[count - 1]);
    at_ = (at_ + count) % elements_;
    left -= count;
  }
}

std::int64_t time_together(int threads, const std::function<void(int)>& prepare,
                           const std::function<void(int)>& work) {
  if (threads == 1) {
    prepare(0);
    const auto start = now_ns();
    work(0);
    return now_ns() - start;
  }
  const auto cpus = affinity();
  std::vector<Lap> laps(static_cast<std::size_t>(threads));
  std::barrier start(threads);
  const auto run = [&](int thread) {
    auto& lap = laps[static_cast<std::size_t>(thread)];
    try {
      pin(cpus, thread);
      prepare(thread);
    } catch (...) {
      lap.problem = std::current_exception();
    }
    start.arrive_and_wait();
    lap.start_ns = now_ns();
    if (!lap.problem) work(thread);
    lap.end_ns = now_ns();
  };
  {
    std::vector<std::jthread> pool;
    for (int thread = 0; thread < threads; ++thread) pool.emplace_back(run, thread);
  }
  for (const auto& lap : laps)
    if (lap.problem) std::rethrow_exception(lap.problem);
  return std::ranges::max(laps, {}, &Lap::end_ns).end_ns -
         std::ranges::min(laps, {}, &Lap::start_ns).start_ns;
}

}  // namespace inferometer::measure
