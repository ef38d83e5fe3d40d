// SPDX-License-Identifier: Apache-2.0
// The one thread that starts children.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>

#include "process/child.hpp"

namespace inferometer::process {

/// Runs what it is given, one after another, on a thread that ends only with the process.
class Spawner {
 public:
  /// A process that was forked off gets its own: threads don't survive a fork.
  static Spawner& instance();

  /// Starts the program and gives its pid. Errors as Child::spawn.
  pid_t spawn(const SpawnRequest& request);

 private:
  Spawner();
  void serve();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::packaged_task<pid_t()>> tasks_;
};

}  // namespace inferometer::process
