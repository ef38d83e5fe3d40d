// SPDX-License-Identifier: Apache-2.0
#include "process/open_loop.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <exception>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>

#include "process/block.hpp"
#include "process/protocol.hpp"

namespace inferometer::process {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

void sleep_until(std::int64_t ns) {
  const timespec until{.tv_sec = ns / kSecond, .tv_nsec = ns % kSecond};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

class Serving {
 public:
  Serving(core::Runner& runner, std::span<const View> inputs, std::span<const View> outputs,
          std::int64_t executors, std::span<const std::int64_t> arrivals_ns, const GiveUp& give_up,
          const Clock& clock)
      : runner_(runner),
        inputs_(inputs),
        outputs_(outputs),
        arrivals_ns_(arrivals_ns),
        give_up_(give_up),
        clock_(clock),
        served_(arrivals_ns.size()),
        executors_(executors),
        warm_(executors) {}

  OpenLoopReport run() {
    std::vector<std::jthread> threads;
    try {
      for (std::int64_t i = 0; i < executors_; ++i) threads.emplace_back([this] { execute(); });
    } catch (...) {  // no thread is left: those that are there wait for the start
      ending_ = true;
      start_.count_down();
      throw;
    }
    warm_.wait();
    const Spent before = spent();
    start_ns_ = clock_.now_ns();
    start_.count_down();
    threads.clear();
    if (failure_) std::rethrow_exception(failure_);
    served_.resize(std::min(served_.size(), next_.load()));
    return {.served = std::move(served_), .cpu_ns = (spent() - before).cpu_ns};
  }

 private:
  void execute() {
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // of this thread; the usual 50 us would lie in every latency
    std::vector<Tensor> outputs;
    guarded([&] {
      for (const View& output : outputs_) outputs.emplace_back(output.dtype, output.shape);
      compute(runner_, inputs_, views_of(outputs));
    });
    warm_.count_down();
    start_.wait();
    guarded([&] {
      const std::vector<View> views = views_of(outputs);
      while (const auto arrival = take()) serve(*arrival, views);
    });
  }

  static std::vector<View> views_of(const std::vector<Tensor>& tensors) {
    return {tensors.begin(), tensors.end()};
  }

  template <class Work>
  void guarded(Work&& work) {
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
      ending_ = true;
    }
  }

  // What was taken is served to its end, so that those served are the first of all.
  std::optional<std::size_t> take() {
    if (ending_) return std::nullopt;
    const std::size_t arrival = next_++;
    if (arrival >= arrivals_ns_.size()) return std::nullopt;
    return arrival;
  }

  void serve(std::size_t arrival, std::span<const View> outputs) {
    const std::int64_t intended = arrivals_ns_[arrival];
    clock_.sleep_until_ns(start_ns_ + intended);
    Served& served = served_[arrival];
    served.start_ns = clock_.now_ns() - start_ns_;
    compute(runner_, inputs_, outputs);
    served.end_ns = clock_.now_ns() - start_ns_;
    if (served.end_ns - intended > give_up_.latency_ns && over_++ >= give_up_.most_over)
      ending_ = true;
  }

  core::Runner& runner_;
  std::span<const View> inputs_, outputs_;
  std::span<const std::int64_t> arrivals_ns_;
  const GiveUp& give_up_;
  const Clock& clock_;
  std::vector<Served> served_;
  std::int64_t executors_;

  std::latch warm_;
  std::latch start_{1};
  std::int64_t start_ns_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> over_{0};
  std::atomic<bool> ending_{false};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

}  // namespace

Clock monotonic_clock() {
  return {now_ns, sleep_until};
}

void check_arrivals(std::span<const std::int64_t> arrivals_ns) {
  if (arrivals_ns.empty() || arrivals_ns.size() > kMaxArrivals)
    throw Error(Status::Invalid, fmt::format("an open loop of {} arrivals: expected 1 to {}",
                                             arrivals_ns.size(), kMaxArrivals));
  if (!std::ranges::is_sorted(arrivals_ns))
    throw Error(Status::Invalid, "arrivals of an open loop that are not in ascending order");
  if (arrivals_ns.front() < 0 || arrivals_ns.back() > kMaxArrivalNs)
    throw Error(Status::Invalid,
                fmt::format("arrivals of an open loop from {} to {} ns: expected 0 to {}",
                            arrivals_ns.front(), arrivals_ns.back(), kMaxArrivalNs));
}

OpenLoopReport serve_arrivals(core::Runner& runner, std::span<const View> inputs,
                              std::span<const View> outputs, std::int64_t executors,
                              std::span<const std::int64_t> arrivals_ns, const GiveUp& give_up,
                              const Clock& clock) {
  check_arrivals(arrivals_ns);
  return Serving(runner, inputs, outputs, executors, arrivals_ns, give_up, clock).run();
}

}  // namespace inferometer::process
