// SPDX-License-Identifier: Apache-2.0
#include "measure/memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/cgroup.hpp"
#include "inferometer/error.hpp"
#include "measure/outcome.hpp"
#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kKibibyte = 1024;

std::int64_t bytes_after(std::string_view text, std::string_view key) {
  return number_after(text, key).value_or(0) * kKibibyte;
}

fs::path file_of(const fs::path& proc, pid_t pid, const char* name) {
  return proc / std::to_string(pid) / name;
}

// A process that has ended but isn't reaped has a status without memory.
bool add_status(MemoryReading& sum, std::string_view status) {
  if (!number_after(status, "VmRSS")) return false;
  sum.rss_bytes += bytes_after(status, "VmRSS");
  sum.anon_bytes += bytes_after(status, "RssAnon");
  sum.file_bytes += bytes_after(status, "RssFile");
  sum.shmem_bytes += bytes_after(status, "RssShmem");
  sum.peak_bytes += bytes_after(status, "VmHWM");
  ++sum.processes;
  return true;
}

// One process that can't be read makes the sum wrong, so it makes it absent.
void add_rollup(MemoryReading& sum, const fs::path& path) {
  const auto text = read_kernel_text(path);
  if (!text || !number_after(*text, "Pss")) {
    sum.pss_bytes.reset();
    sum.uss_bytes.reset();
    return;
  }
  if (!sum.pss_bytes) return;
  *sum.pss_bytes += bytes_after(*text, "Pss");
  *sum.uss_bytes += bytes_after(*text, "Private_Clean") + bytes_after(*text, "Private_Dirty") +
                    bytes_after(*text, "Private_Hugetlb");
}

bool write_five(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, "5", 1) == 1;
  const int problem = errno;
  ::close(fd);
  errno = problem;
  return written;
}

void put(Json& values, std::string_view key, const std::optional<std::int64_t>& bytes) {
  values[std::string(field(key).key)] = bytes ? Json(*bytes) : Json(nullptr);
  if (!bytes) values[std::string(key) + "_why"] = "smaps_rollup can't be read";
}

}  // namespace

std::vector<pid_t> process_tree(pid_t root, const fs::path& proc) {
  std::multimap<pid_t, pid_t> children;
  for (const auto pid : numbered_folders(proc)) {
    const auto fields = stat_fields(read_kernel_text(file_of(proc, pid, "stat")).value_or(""));
    if (const auto parent = stat_number(fields, 1))
      children.emplace(static_cast<pid_t>(*parent), pid);
  }
  std::vector<pid_t> tree = {root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [first, last] = children.equal_range(tree[i]);
    for (auto each = first; each != last; ++each) tree.push_back(each->second);
    children.erase(first,
                   last);  // each parent once: pids read at different moments may form a ring
  }
  return tree;
}

MemoryReading read_memory(std::span<const pid_t> pids, Detail detail, const fs::path& proc) {
  MemoryReading sum;
  if (detail == Detail::Rollup) sum.pss_bytes = sum.uss_bytes = 0;
  for (const auto pid : pids) {
    const auto status = read_kernel_text(file_of(proc, pid, "status"));
    if (status && add_status(sum, *status) && detail == Detail::Rollup)
      add_rollup(sum, file_of(proc, pid, "smaps_rollup"));
  }
  if (sum.processes > 0) return sum;
  throw Error(Status::Unavailable,
              fmt::format("memory can't be read: no living process below {} (looked for {} in all, "
                          "the first being {})",
                          proc.string(), pids.size(), pids.empty() ? 0 : pids.front()));
}

std::int64_t free_memory_bytes(const fs::path& root) {
  const auto info = read_kernel_text(root / "proc/meminfo").value_or("");
  const auto available = number_after(info, "MemAvailable");
  if (!available)
    throw Error(Status::Unavailable, "no MemAvailable in " + (root / "proc/meminfo").string());
  const auto group = cgroup_of_self(root);
  const auto free = *available * kKibibyte;
  if (!group.memory_free_bytes) return free;
  return std::min(free, static_cast<std::int64_t>(*group.memory_free_bytes));
}

void reset_peak(std::span<const pid_t> pids, const fs::path& proc) {
  bool any = false;
  for (const auto pid : pids) any = write_five(file_of(proc, pid, "clear_refs")) || any;
  if (any) return;
  throw Error(Status::Unavailable,
              fmt::format("the peak of resident memory can't be reset: writing 5 to clear_refs "
                          "below {}: {}",
                          proc.string(), std::strerror(errno)));
}

std::string_view to_string(MemoryPhase phase) noexcept {
  switch (phase) {
    case MemoryPhase::Process:
      return "process";
    case MemoryPhase::Library:
      return "library";
    case MemoryPhase::Model:
      return "model";
    case MemoryPhase::Steady:
      return "steady";
    case MemoryPhase::Released:
      return "released";
  }
  return "";
}

void put_phase(Json& values, MemoryPhase phase, const MemoryReading& reading) {
  const auto key = [&](std::string_view part) {
    return fmt::format("memory_{}{}_bytes", to_string(phase), part);
  };
  put(values, key(""), reading.rss_bytes);
  put(values, key("_anon"), reading.anon_bytes);
  put(values, key("_file"), reading.file_bytes);
  put(values, key("_shmem"), reading.shmem_bytes);
  put(values, key("_pss"), reading.pss_bytes);
  put(values, key("_uss"), reading.uss_bytes);
  if (phase == MemoryPhase::Model) put(values, "memory_load_peak_bytes", reading.peak_bytes);
  if (phase == MemoryPhase::Steady) put(values, "memory_run_peak_bytes", reading.peak_bytes);
}

void PhaseRecorder::begin() {
  reset_peak(process_tree(root_, proc_), proc_);
}

void PhaseRecorder::end(MemoryPhase phase) {
  put_phase(values_, phase, read_memory(process_tree(root_, proc_), Detail::Rollup, proc_));
}

}  // namespace inferometer::measure
