// SPDX-License-Identifier: Apache-2.0
#include "measure/burst.hpp"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <exception>
#include <thread>

#include "base/cpu.hpp"
#include "inferometer/error.hpp"

namespace inferometer::measure {
namespace {

// The compiler must believe that the result matters.
void keep(float value) {
  __asm__ volatile("" : : "x"(value));
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
