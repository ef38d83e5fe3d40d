// SPDX-License-Identifier: Apache-2.0
// A second opinion on a process' memory: the kernel's own account of a control group.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace inferometer::measure {

/// A memory control group below this process' own one, empty at first; removed with the object,
/// whose processes must have ended by then.
class MemoryCgroup {
 public:
  /// `root` stands before /proc and /sys. Throws Error{Unavailable} when no group can be made here:
  /// why, and where.
  explicit MemoryCgroup(const std::filesystem::path& root = "/");
  ~MemoryCgroup();
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;

  /// Charges what the process, and what it starts, touches from now on. Throws Error{Unavailable}.
  void add(pid_t pid);

  /// Highest charge so far less the page cache that is charged now (version 2: memory.peak and
  /// memory.stat's file; version 1: memory.max_usage_in_bytes and cache; shared memory, which the
  /// kernel counts as cache, stays in). Throws Error{Unavailable} when the kernel has no such file.
  std::int64_t peak_bytes() const;

 private:
  std::filesystem::path folder_;
  bool version_1_ = false;
};

}  // namespace inferometer::measure
