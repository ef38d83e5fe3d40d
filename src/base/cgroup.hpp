// SPDX-License-Identifier: Apache-2.0
// What the control groups of this process allow it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace inferometer {

/// The tightest limits from this process' group up to the root of what it can see.
struct Cgroup {
  int version = 0;  ///< 2, 1 (also hybrid), or 0: no control groups
  std::string path;
  std::optional<double> cpu_quota;  ///< CPUs; none = unlimited
  std::optional<std::uint64_t> memory_limit_bytes;
  /// What the tightest limit leaves, page cache counted as free: the kernel gives it back.
  std::optional<std::uint64_t> memory_free_bytes;
  std::filesystem::path memory_folder;     ///< of the group that memory is charged to; may be empty
  std::optional<std::uint64_t> throttled;  ///< times that the group was throttled, so far
};

/// Reads <root>/proc/self/cgroup and <root>/sys/fs/cgroup. Never throws: what can't be read is no
/// limit.
Cgroup cgroup_of_self(const std::filesystem::path& root = "/");

}  // namespace inferometer
