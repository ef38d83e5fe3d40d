// SPDX-License-Identifier: Apache-2.0
// Memory of a process tree, as the kernel counts it. `proc` is where procfs is mounted: tests give
// a folder of their own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace inferometer::measure {

/// Sums over processes. PSS and USS cost milliseconds: at phase ends only.
struct MemoryReading {
  std::int64_t rss_bytes = 0;
  std::int64_t anon_bytes = 0;
  std::int64_t file_bytes = 0;
  std::int64_t shmem_bytes = 0;
  /// VmHWM since the last reset. A sum over processes is an upper bound of the tree's peak.
  std::int64_t peak_bytes = 0;
  std::optional<std::int64_t> pss_bytes;
  std::optional<std::int64_t> uss_bytes;
  int processes = 0;  ///< that were alive
};

enum class Detail { Status, Rollup };  ///< Rollup: PSS and USS too

/// `root` and its descendants, by parent links.
std::vector<pid_t> process_tree(pid_t root, const std::filesystem::path& proc = "/proc");

/// Processes that ended meanwhile count nothing. Throws Error{Unavailable} naming the file when no
/// process can be read.
MemoryReading read_memory(std::span<const pid_t> pids, Detail detail,
                          const std::filesystem::path& proc = "/proc");

/// MemAvailable, or what this process' control groups leave of their limit if that is less.
/// `root` stands before /proc and /sys. Throws Error{Unavailable} without a /proc/meminfo.
std::int64_t free_memory_bytes(const std::filesystem::path& root = "/");

/// Starts VmHWM anew (5 into clear_refs; ru_maxrss would survive exec). Throws Error{Unavailable}
/// when the kernel refuses.
void reset_peak(std::span<const pid_t> pids, const std::filesystem::path& proc = "/proc");

/// The phases of MEASURING: what they leave resident, by name as in the Field keys.
enum class MemoryPhase { Process, Library, Model, Steady, Released };
std::string_view to_string(MemoryPhase phase) noexcept;

/// Writes the Field keys of a phase's end into `values`.
void put_phase(Json& values, MemoryPhase phase, const MemoryReading& reading);

/// A memory pass: peaks are reset when a phase begins, read when it ends. Loading ends with Model,
/// running with Steady: they also give memory_load_peak_bytes and memory_run_peak_bytes.
class PhaseRecorder {
 public:
  explicit PhaseRecorder(pid_t root, std::filesystem::path proc = "/proc")
      : root_(root), proc_(std::move(proc)) {}
  void begin();
  void end(MemoryPhase phase);
  const Json& values() const noexcept { return values_; }

 private:
  pid_t root_;
  std::filesystem::path proc_;
  Json values_ = Json::object();
};

}  // namespace inferometer::measure
