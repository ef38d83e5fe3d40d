// SPDX-License-Identifier: Apache-2.0
#include "measure/schedule.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

#include "measure/mix.hpp"

namespace inferometer::measure {
namespace {

// Resumed for a while; paused again whatever happens.
class Turn {
 public:
  explicit Turn(Subject& subject) : subject_(subject) { subject_.resume(); }
  ~Turn() {
    try {
      subject_.pause();
    } catch (...) {
      // A dead subject can't be paused; its block has already told.
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Subject& subject_;
};

class Run {
 public:
  Run(std::span<Subject* const> subjects, const ScheduleOptions& options,
      const ScheduleHooks& hooks, std::stop_token stop)
      : subjects_(subjects), options_(options), hooks_(hooks), stop_(std::move(stop)) {
    result_.batches.resize(subjects.size(), 1);
    result_.failures.resize(subjects.size());
  }

  ScheduleResult all() {
    for (std::size_t i = 0; i < subjects_.size() && !stopping(); ++i)
      guarded(i, [&] { warm_up(i); });
    before_ = stopping() || over() ? std::nullopt : canary();
    for (std::int64_t round = 1; round <= options_.rounds && !stopping() && !over(); ++round)
      one_round(round);
    tell_rounds();
    return std::move(result_);
  }

 private:
  bool alive(std::size_t subject) const { return !result_.failures[subject]; }
  // Cells that are left have rates to tell, even where nothing is left to compare them with.
  bool over() const {
    for (std::size_t i = 0; i < subjects_.size(); ++i)
      if (alive(i)) return false;
    return true;
  }
  bool stopping() { return result_.stopped = result_.stopped || stop_.stop_requested(); }

  template <class Work>
  std::exception_ptr guarded(std::size_t subject, Work&& work) {
    try {
      const Turn turn(*subjects_[subject]);
      work();
      return nullptr;
    } catch (...) {
      return result_.failures[subject] = std::current_exception();
    }
  }

  void warm_up(std::size_t subject) {
    const auto start = hooks_.now_ns();
    std::int64_t batches = 0;
    std::int64_t best_ns = std::numeric_limits<std::int64_t>::max();
    while (batches < options_.warm_up_batches || hooks_.now_ns() - start < options_.warm_up_ns) {
      best_ns = std::min(best_ns, subjects_[subject]->run_block(1).wall_ns);
      batches += 1;
      if (stopping()) return;
    }
    if (batches > 0)
      result_.batches[subject] =
          std::min(options_.most_batches, batches_per_block(best_ns, options_.block_ns));
  }

  std::optional<CanaryReading> canary() {
    const auto reading = hooks_.canary ? hooks_.canary() : std::nullopt;
    if (reading) result_.canary.push_back(*reading);
    return reading;
  }

  void one_round(std::int64_t round) {
    RoundRecord record{.round = round};
    for (const auto subject : round_order(subjects_.size(), options_.seed, round)) {
      if (stopping()) return;
      if (!alive(subject)) continue;
      BlockRecord block{.subject = subject};
      block.failure = guarded(
          subject, [&] { block.block = subjects_[subject]->run_block(result_.batches[subject]); });
      record.blocks.push_back(std::move(block));
    }
    untold_.push_back(std::move(record));
    const auto shared = static_cast<std::size_t>(options_.rounds_per_canary);
    if (untold_.size() == shared || round == options_.rounds || over()) end_with_canary();
  }

  // What changed between two canaries may have changed in any of the rounds between them.
  void end_with_canary() {
    const auto after = canary();
    const bool rejected = before_ && after && changed_within(*before_, *after);
    for (auto& record : untold_) record.rejected = rejected;
    untold_.front().before = before_;
    untold_.back().after = after;
    before_ = after;
    tell_rounds();
  }

  void tell_rounds() {
    for (const auto& record : untold_) {
      result_.rounds += 1;
      if (hooks_.on_round) hooks_.on_round(record);
    }
    untold_.clear();
  }

  std::span<Subject* const> subjects_;
  const ScheduleOptions& options_;
  const ScheduleHooks& hooks_;
  std::stop_token stop_;
  ScheduleResult result_;
  std::optional<CanaryReading> before_;  ///< the last one
  std::vector<RoundRecord> untold_;      ///< whole ones since then
};

}  // namespace

std::vector<std::size_t> round_order(std::size_t count, std::uint64_t seed, std::int64_t round) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::uint64_t state = mixed(seed ^ mixed(static_cast<std::uint64_t>(round)));
  for (std::size_t left = count; left > 1; --left) {
    state = mixed(state);
    std::swap(order[left - 1], order[state % left]);
  }
  return order;
}

std::int64_t batches_per_block(std::int64_t batch_ns, std::int64_t block_ns) {
  if (batch_ns <= 0) return 1;
  return std::max<std::int64_t>(1, (block_ns + batch_ns / 2) / batch_ns);
}

ScheduleResult run_schedule(std::span<Subject* const> subjects, const ScheduleOptions& options,
                            const ScheduleHooks& hooks, std::stop_token stop) {
  assert(hooks.now_ns);
  if (subjects.empty()) return {};
  return Run(subjects, options, hooks, std::move(stop)).all();
}

}  // namespace inferometer::measure
