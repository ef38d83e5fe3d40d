// SPDX-License-Identifier: Apache-2.0
#include "measure/tasks.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

// utime and stime, counted from the state.
constexpr std::size_t kUserTicks = 11, kSystemTicks = 12;
constexpr double kBusyCpus = 0.01;
constexpr double kForgiven = 1.05;

std::int64_t tick_ns() {
  static const std::int64_t ns = 1'000'000'000 / std::max(1L, ::sysconf(_SC_CLK_TCK));
  return ns;
}

}  // namespace

std::vector<TaskTime> read_tasks(std::span<const pid_t> pids, const std::filesystem::path& proc) {
  std::vector<TaskTime> tasks;
  for (const auto pid : pids) {
    const auto folder = proc / std::to_string(pid) / "task";
    for (const auto task : numbered_folders(folder)) {
      const auto stat = read_kernel_text(folder / std::to_string(task) / "stat").value_or("");
      const auto fields = stat_fields(stat);
      const auto user = stat_number(fields, kUserTicks), system = stat_number(fields, kSystemTicks);
      if (user && system) tasks.push_back({task, stat_name(stat), (*user + *system) * tick_ns()});
    }
  }
  return tasks;
}

CpuUse cpus_used(std::span<const TaskTime> before, std::span<const TaskTime> after,
                 std::int64_t wall_ns) {
  std::map<pid_t, std::int64_t> start;
  for (const auto& each : before) start[each.task] = each.cpu_ns;
  CpuUse use;
  for (const auto& each : after) {
    const auto spent = each.cpu_ns - start[each.task];
    const double cpus = static_cast<double>(std::max<std::int64_t>(0, spent)) /
                        static_cast<double>(std::max<std::int64_t>(1, wall_ns));
    use.cpus += cpus;
    if (cpus >= kBusyCpus) use.busy.push_back({each.task, each.name, cpus});
  }
  std::ranges::stable_sort(use.busy, std::greater<>(), &TaskUse::cpus);
  return use;
}

std::string thread_parity_warning(const CpuUse& use, int allowed, std::int64_t wall_ns) {
  const double ticks = static_cast<double>(use.busy.size()) * static_cast<double>(tick_ns()) /
                       static_cast<double>(std::max<std::int64_t>(1, wall_ns));
  if (use.cpus <= allowed * kForgiven + ticks) return {};
  auto text = fmt::format("used {:.2f} CPUs where {} were allowed", use.cpus, allowed);
  if (!use.busy.empty()) text += fmt::format(" ({} busy tasks)", use.busy.size());
  return text;
}

Json to_json(std::span<const TaskUse> busy) {
  auto list = Json::array();
  for (const auto& each : busy)
    list.push_back({{"task", each.task}, {"name", each.name}, {"cpus", each.cpus}});
  return list;
}

}  // namespace inferometer::measure
