// SPDX-License-Identifier: Apache-2.0
#include "measure/memory_cgroup.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/cgroup.hpp"
#include "inferometer/error.hpp"
#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Status::Unavailable, "a memory control group: " + why);
}

std::int64_t number_in(const fs::path& path) {
  const auto text = read_kernel_text(path);
  std::int64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc())
    refuse(fmt::format("{}: {}", path.string(), text ? "no number" : std::strerror(errno)));
  return value;
}

// Lines "key value"; absent keys count 0.
std::int64_t statistic(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  std::string name;
  std::int64_t value = 0;
  while (lines >> name >> value)
    if (name == key) return value;
  return 0;
}

}  // namespace

MemoryCgroup::MemoryCgroup(const fs::path& root) {
  static std::atomic<int> count{0};
  const auto own = cgroup_of_self(root);
  if (own.memory_folder.empty()) refuse("this process is in none that can be seen");
  version_1_ = own.version == 1;
  const auto folder = own.memory_folder / fmt::format("inferometer-{}-{}", ::getpid(), ++count);
  if (::mkdir(folder.c_str(), 0755) != 0)
    refuse(fmt::format("{} can't be made: {}", folder.string(), std::strerror(errno)));
  folder_ = folder;
  try {
    peak_bytes();  // version 2 has the files only where the parent hands the controller down
  } catch (...) {
    ::rmdir(folder_.c_str());
    throw;
  }
}

MemoryCgroup::~MemoryCgroup() {
  ::rmdir(folder_.c_str());
}

void MemoryCgroup::add(pid_t pid) {
  const auto path = folder_ / "cgroup.procs";
  std::ofstream file(path);
  file << pid << std::flush;
  if (!file) refuse(fmt::format("{}: process {} can't be added", path.string(), pid));
}

std::int64_t MemoryCgroup::peak_bytes() const {
  const auto peak = number_in(folder_ / (version_1_ ? "memory.max_usage_in_bytes" : "memory.peak"));
  const auto facts = read_kernel_text(folder_ / "memory.stat").value_or("");
  const auto cache = statistic(facts, version_1_ ? "total_cache" : "file") -
                     statistic(facts, version_1_ ? "total_shmem" : "shmem");
  return peak - std::max<std::int64_t>(0, cache);
}

}  // namespace inferometer::measure
