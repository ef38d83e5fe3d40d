// SPDX-License-Identifier: Apache-2.0
// A worker process as something to wait for: every wait also watches the process itself, what it
// prints, the clock and its memory, so no thread of ours does nothing but watch.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "inferometer/error.hpp"
#include "process/channel.hpp"
#include "process/child.hpp"
#include "process/worker.hpp"

namespace inferometer::process {

/// How long a request may take, and what it is called in messages.
struct Patience {
  std::string_view stage;
  std::chrono::milliseconds limit{0};  ///< 0: for ever
  /// How long to look before sleeping. A CPU that falls asleep takes tens of microseconds to wake
  /// on a virtual machine: as long as everything else in a short prediction.
  std::chrono::microseconds look{0};
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

/// Thread-safe. Every member but the last two throws the error of the loss once the worker is lost.
class Peer {
 public:
  /// Spawns the worker with `lane` as its end of the first lane. Errors as Child::spawn.
  Peer(const WorkerOptions& options, int lane);
  ~Peer();

  /// Returns when `fd` is ready.
  void wait(int fd, short events, const Patience& patience);
  void check_alive() const;

  /// Ends the whole process tree and throws what is now the error of every call.
  [[noreturn]] void lose_garbage(const std::string& what, const Patience& patience);
  [[noreturn]] void lose_closed(const Patience& patience);

  void park();
  void wake();
  bool parked() const noexcept { return parked_.load(std::memory_order_relaxed); }

  /// True when the process ended within `limit`; prints of its last moments are passed on.
  bool wait_end(std::chrono::milliseconds limit);
  bool alive() const noexcept { return alive_.load(std::memory_order_acquire); }
  pid_t pid() const noexcept { return child_->pid(); }

 private:
  [[noreturn]] void lose(Status status, const std::string& what, const Patience& patience,
                         bool own_fault);
  void check_memory(const Patience& patience);
  int poll_timeout_ms(const Patience& patience) const;
  void drain_log(std::size_t most_bytes);
  Error loss_error(Status status, const std::string& what, const Patience& patience,
                   const std::optional<Ending>& ending) const;

  Limits limits_;
  std::function<void(std::string_view)> log_;
  std::uint64_t oom_kills_before_ = 0;
  std::optional<Child> child_;
  std::atomic<unsigned> memory_checks_{0};

  std::mutex log_mutex_;
  UniqueFd log_fd_;
  std::atomic<int> log_poll_fd_{-1};  // -1 once every writer has gone
  std::string log_tail_;

  mutable std::mutex loss_mutex_;
  std::optional<Error> loss_;
  std::atomic<bool> alive_{true};
  std::mutex park_mutex_;
  std::atomic<bool> parked_{false};
};

}  // namespace inferometer::process
