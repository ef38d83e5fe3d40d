// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace inferometer::reference {

/// The threads of one context: the caller and `threads` - 1 of its own, asleep between jobs. They
/// inherit the affinity of the thread that makes the pool. Used by one thread at a time.
class Pool {
 public:
  using Body = std::function<void(std::int64_t index, std::size_t thread)>;

  explicit Pool(std::size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  std::size_t threads() const noexcept { return helpers_.size() + 1; }

  /// Calls body(0..count-1, number of the thread), in any order and on any thread; returns when all
  /// are done. The first exception of a body is thrown here, after the others have ended.
  void run(std::int64_t count, const Body& body);

 private:
  void help(std::size_t thread);
  void work(std::size_t thread) noexcept;

  std::vector<std::thread> helpers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::uint64_t job_ = 0;  ///< guarded by mutex_, as all below but next_
  std::size_t busy_ = 0;
  bool stop_ = false;
  const Body* body_ = nullptr;
  std::int64_t count_ = 0;
  std::exception_ptr failure_;
  std::atomic<std::int64_t> next_{0};
};

}  // namespace inferometer::reference
