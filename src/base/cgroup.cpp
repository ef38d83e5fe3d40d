// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

namespace inferometer {
namespace {

namespace fs = std::filesystem;
// Version 1 writes "no limit" as the largest page-aligned number.
constexpr std::uint64_t kUnlimitedBytes = 1ull << 60;

std::string read_small(const fs::path& path) {
  std::ifstream file(path);
  std::array<char, 4096> text{};
  file.read(text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(file.gcount())};
}

std::optional<std::int64_t> number(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (problem != std::errc() || end == word.data()) return std::nullopt;
  return value;
}

std::optional<double> quota_of(std::string_view quota_text, std::string_view period_text) {
  const auto quota = number(quota_text);
  const auto period = number(period_text);
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

template <class T>
void tighten(std::optional<T>& limit, std::optional<T> other) {
  if (other && (!limit || *other < *limit)) limit = other;
}

std::optional<std::uint64_t> throttled_of(const fs::path& folder) {
  std::istringstream lines(read_small(folder / "cpu.stat"));
  std::string key;
  std::uint64_t value = 0;
  while (lines >> key >> value)
    if (key == "nr_throttled") return value;
  return std::nullopt;
}

// The group's folder and its parents up to the mount point. A container sees its own group as the
// mount point while the path is still the host's; then only the mount point exists.
std::vector<fs::path> folders(const fs::path& mount, const std::string& group) {
  std::vector<fs::path> found;
  std::error_code ignored;
  auto path = fs::path(group).relative_path().lexically_normal();
  if (path.string().starts_with("..")) path.clear();
  for (;; path = path.parent_path()) {
    const auto folder = path.empty() ? mount : mount / path;
    if (fs::is_directory(folder, ignored)) found.push_back(folder);
    if (path.empty() || path == path.parent_path()) break;
  }
  return found;
}

// The names of one version's files and of the statistics in memory.stat.
struct MemoryFiles {
  const char* limit;
  const char* usage;
  const char* cache;
  const char* shared;  ///< counted as cache, and not given back
};

std::uint64_t statistic(const fs::path& folder, std::string_view key) {
  std::istringstream lines(read_small(folder / "memory.stat"));
  std::string name;
  std::uint64_t value = 0;
  while (lines >> name >> value)
    if (name == key) return value;
  return 0;
}

void read_memory(Cgroup& group, const std::vector<fs::path>& all, const MemoryFiles& files) {
  if (!all.empty()) group.memory_folder = all.front();
  for (const auto& folder : all) {
    const auto limit = number(read_small(folder / files.limit));
    if (!limit || *limit < 0 || static_cast<std::uint64_t>(*limit) >= kUnlimitedBytes) continue;
    const auto bytes = static_cast<std::uint64_t>(*limit);
    tighten(group.memory_limit_bytes, std::optional(bytes));
    const auto usage = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, number(read_small(folder / files.usage)).value_or(0)));
    const auto cache = statistic(folder, files.cache), shared = statistic(folder, files.shared);
    const auto held = usage - std::min(usage, cache - std::min(cache, shared));
    tighten(group.memory_free_bytes, std::optional(bytes - std::min(bytes, held)));
  }
}

void read_version_2(Cgroup& group, const fs::path& mount) {
  const auto all = folders(mount, group.path);
  read_memory(group, all, {"memory.max", "memory.current", "file", "shmem"});
  for (const auto& folder : all) {
    std::istringstream cpu(read_small(folder / "cpu.max"));
    std::string quota, period;
    cpu >> quota >> period;
    tighten(group.cpu_quota, quota_of(quota, period));
    if (!group.throttled) group.throttled = throttled_of(folder);
  }
}

void read_cpu_1(Cgroup& group, const fs::path& mount, const std::string& path) {
  for (const auto& folder : folders(mount, path)) {
    tighten(group.cpu_quota, quota_of(read_small(folder / "cpu.cfs_quota_us"),
                                      read_small(folder / "cpu.cfs_period_us")));
    if (!group.throttled) group.throttled = throttled_of(folder);
  }
}

void read_memory_1(Cgroup& group, const fs::path& mount, const std::string& path) {
  read_memory(group, folders(mount, path),
              {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache", "total_shmem"});
}

bool has_controller(const std::string& list, std::string_view name) {
  std::istringstream words(list);
  std::string word;
  while (std::getline(words, word, ','))
    if (word == name) return true;
  return false;
}

// "5:cpu,cpuacct:/user" (version 1) or "0::/user" (version 2).
void read_line(Cgroup& group, const fs::path& mount, const std::string& line) {
  const auto first = line.find(':');
  const auto second = line.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return;
  const auto controllers = line.substr(first + 1, second - first - 1);
  const auto path = line.substr(second + 1);
  if (controllers.empty()) {
    if (group.version == 0) group.version = 2, group.path = path;
    return;
  }
  const bool cpu = has_controller(controllers, "cpu");
  const bool memory = has_controller(controllers, "memory");
  if (!cpu && !memory) return;
  group.version = 1;
  group.path = path;
  if (cpu) read_cpu_1(group, mount / "cpu", path);
  if (memory) read_memory_1(group, mount / "memory", path);
}

}  // namespace

Cgroup cgroup_of_self(const fs::path& root) {
  Cgroup group;
  const auto mount = root / "sys/fs/cgroup";
  std::istringstream lines(read_small(root / "proc/self/cgroup"));
  std::string line;
  while (std::getline(lines, line)) read_line(group, mount, line);
  if (group.version == 2) read_version_2(group, mount);
  return group;
}

}  // namespace inferometer
