// SPDX-License-Identifier: Apache-2.0
// What the canary and the roofline are made of beside multiply-adds: a triad over arrays that don't
// fit a cache, and threads that start together.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace inferometer::measure {

/// a = b + s * c over three arrays in one piece of memory. Touched by the thread that makes it.
class StreamArrays {
 public:
  /// `bytes`: of all three together, at least 12 KiB.
  explicit StreamArrays(std::int64_t bytes);
  /// Goes on where the last call ended, around and around; `bytes` are read and written.
  void pass(std::int64_t bytes) noexcept;

 private:
  std::vector<float> memory_;
  std::size_t elements_;  ///< of each array
  std::size_t at_ = 0;
};

/// Runs `work(thread)` on `threads` threads pinned round robin to the CPUs of the caller's
/// affinity, started together; the time from that start until the last has ended. `prepare(thread)`
/// runs before, on the same thread and CPU. With one thread the caller does it itself, unpinned.
std::int64_t time_together(int threads, const std::function<void(int)>& prepare,
                           const std::function<void(int)>& work);

}  // namespace inferometer::measure
