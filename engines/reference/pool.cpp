// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <exception>
#include <utility>

namespace inferometer::reference {

Pool::Pool(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) helpers_.emplace_back([this, i] { help(i); });
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& helper : helpers_) helper.join();
}

void Pool::run(std::int64_t count, const Body& body) {
  if (count == 1 || helpers_.empty()) {
    for (std::int64_t i = 0; i < count; ++i) body(i, 0);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    body_ = &body;
    count_ = count;
    next_ = 0;
    busy_ = helpers_.size();
    ++job_;
  }
  wake_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Pool::help(std::size_t thread) {
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || job_ != seen; });
    if (stop_) return;
    seen = job_;
    lock.unlock();
    work(thread);
    lock.lock();
    if (--busy_ == 0) done_.notify_one();
  }
}

// body_ and count_ are read without the lock: they only change while every helper is idle.
void Pool::work(std::size_t thread) noexcept {
  try {
    for (std::int64_t i = next_++; i < count_; i = next_++) (*body_)(i, thread);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    next_ = count_;
  }
}

}  // namespace inferometer::reference
