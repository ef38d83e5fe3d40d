// SPDX-License-Identifier: Apache-2.0
// Thread parity: how many CPUs did a worker really use, and which of its tasks used them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace inferometer::measure {

/// CPU time of one task (thread), user and system. The kernel counts in ticks (10 ms): windows
/// shorter than about half a second tell little.
struct TaskTime {
  pid_t task = 0;
  std::string name;
  std::int64_t cpu_ns = 0;
};

/// Every task of the given processes; those that ended are absent.
std::vector<TaskTime> read_tasks(std::span<const pid_t> pids,
                                 const std::filesystem::path& proc = "/proc");

struct TaskUse {
  pid_t task = 0;
  std::string name;
  double cpus = 0;
};

struct CpuUse {
  double cpus = 0;            ///< CPU time over wall time
  std::vector<TaskUse> busy;  ///< tasks that used at least 1 % of a CPU, busiest first
};
CpuUse cpus_used(std::span<const TaskTime> before, std::span<const TaskTime> after,
                 std::int64_t wall_ns);

/// A worker given `allowed` CPUs used more: the text to warn with; else empty. One tick per busy
/// task and 5 % are forgiven.
std::string thread_parity_warning(const CpuUse& use, int allowed, std::int64_t wall_ns);

/// The Field key cpus_used_by_task.
Json to_json(std::span<const TaskUse> busy);

}  // namespace inferometer::measure
