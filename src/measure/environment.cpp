// SPDX-License-Identifier: Apache-2.0
#include "measure/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "base/cgroup.hpp"
#include "measure/build_facts.hpp"
#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 6> kCounters = {"steal_ns",          "context_switches",
                                                  "page_faults",       "major_page_faults",
                                                  "pages_swapped_out", "throttled"};

std::string unavailable(const fs::path& path) {
  return fmt::format("unavailable: {}: {}", path.string(), std::strerror(errno));
}

Json load_of(const fs::path& path) {
  const auto text = read_kernel_text(path);
  if (!text) return unavailable(path);
  double one = 0, five = 0, fifteen = 0;
  std::istringstream(*text) >> one >> five >> fifteen;
  return {one, five, fifteen};
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=123"
Json pressure_of(const fs::path& path) {
  const auto text = read_kernel_text(path);
  if (!text) return unavailable(path);
  Json pressure = Json::object();
  std::istringstream words(*text);
  std::string kind;
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      kind = word;
      continue;
    }
    const auto name = word.substr(0, equals);
    const auto value = std::strtod(word.c_str() + equals + 1, nullptr);
    if (name == "avg10") pressure[kind + "_avg10"] = value;
    if (name == "total") pressure[kind + "_total_us"] = value;
  }
  return pressure;
}

// A line "key value" of /proc/vmstat or /proc/stat.
Json counter_of(const std::optional<std::string>& text, std::string_view key, const char* source) {
  std::istringstream lines(text.value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
      return std::strtoll(line.c_str() + key.size(), nullptr, 10);
  return fmt::format("unavailable: no {} in {}", key, source);
}

// "cpu user nice system idle iowait irq softirq steal ...", in ticks over all CPUs.
Json steal_of(const std::optional<std::string>& stat) {
  std::istringstream words(stat.value_or(""));
  std::string name;
  std::array<std::int64_t, 8> ticks{};
  words >> name;
  for (auto& each : ticks)
    if (!(words >> each)) return "unavailable: no steal in /proc/stat";
  return ticks.back() * (1'000'000'000 / std::max(1L, ::sysconf(_SC_CLK_TCK)));
}

}  // namespace

Json build_facts() {
  return {{"version", kBuildVersion},
          {"commit", kBuildCommit},
          {"compiler", kBuildCompiler},
          {"build_type", kBuildType},
          {"sanitizers", kBuildSanitizers}};
}

Json state(const fs::path& root) {
  const auto stat = read_kernel_text(root / "proc/stat", 4u << 20);
  const auto vmstat = read_kernel_text(root / "proc/vmstat");
  const auto throttled = cgroup_of_self(root).throttled;
  return {{"load_average", load_of(root / "proc/loadavg")},
          {"pressure_cpu", pressure_of(root / "proc/pressure/cpu")},
          {"pressure_memory", pressure_of(root / "proc/pressure/memory")},
          {"pressure_io", pressure_of(root / "proc/pressure/io")},
          {"steal_ns", steal_of(stat)},
          {"context_switches", counter_of(stat, "ctxt", "/proc/stat")},
          {"page_faults", counter_of(vmstat, "pgfault", "/proc/vmstat")},
          {"major_page_faults", counter_of(vmstat, "pgmajfault", "/proc/vmstat")},
          {"pages_swapped_out", counter_of(vmstat, "pswpout", "/proc/vmstat")},
          {"throttled", throttled ? Json(*throttled) : Json("unavailable: no nr_throttled")}};
}

Json fingerprint(const Json& machine, const Json& before, const Json& after) {
  Json change = Json::object();
  for (const auto* key : kCounters) {
    if (!before.contains(key) || !after.contains(key)) continue;
    if (before[key].is_number_integer() && after[key].is_number_integer())
      change[key] = after[key].get<std::int64_t>() - before[key].get<std::int64_t>();
  }
  return {{"machine_id", machine_id(machine)},
          {"machine", machine},
          {"before", before},
          {"after", after},
          {"change", std::move(change)}};
}

}  // namespace inferometer::measure
