// SPDX-License-Identifier: Apache-2.0
// A child process: spawned with everything set before exec, watched through a pidfd, stopped, woken
// and killed as a tree, and always reaped.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "process/unique_fd.hpp"

namespace inferometer::process {

struct SpawnRequest {
  std::filesystem::path program;
  std::vector<std::string> arguments;              ///< without the program's name
  std::map<std::string, std::string> environment;  ///< added to ours
  std::vector<int> cpus;                           ///< affinity; empty: the calling thread's
  int input = -1, output = -1;                     ///< stdin; stdout and stderr; -1: /dev/null
  int inherited = -1;                              ///< becomes descriptor kInheritedFd
};
inline constexpr int kInheritedFd = 3;

/// How a process ended; neither is known where this process ignores SIGCHLD.
struct Ending {
  std::optional<int> signal;
  std::optional<int> exit_code;
};
/// "killed by signal 11 (SIGSEGV)", "ended with exit code 3".
std::string to_string(const Ending& ending);

/// One thread at a time, except pid and pidfd.
class Child {
 public:
  /// Started by one thread that lives as long as this process, because the kernel tells children of
  /// their parent's death when the *thread* that made them ends. The child leads a new session, has
  /// default signals, and inherits no other descriptor. Thread-safe. Throws Error{Unavailable} when
  /// the program can't be started, Error{Invalid} when `cpus` can't be had.
  static Child spawn(const SpawnRequest& request);

  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  /// Kills and reaps what is left of the tree.
  ~Child();

  pid_t pid() const noexcept { return pid_; }
  int pidfd() const noexcept { return pidfd_.get(); }  ///< readable once the child has ended

  /// True when the child has ended within `limit`.
  bool wait_end(std::chrono::milliseconds limit) const;
  /// Kills whatever is alive in the tree, then reaps. Returns how the child itself ended.
  Ending end();

  /// SIGSTOP to the whole tree; returns when all of it has stopped, or false: the child has ended.
  /// Throws Error{Timeout}, with the tree awake again, when a part of it can't be stopped.
  bool stop() const;
  void resume() const;

 private:
  Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<Ending> ending_;
};

}  // namespace inferometer::process
