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
    const auto* value = word.c_str() + equals + 1;
    if (name == "avg10") pressure[kind + "_avg10"] = std::strtod(value, nullptr);
    if (name == "total") pressure[kind + "_total_us"] = std::strtoll(value, nullptr, 10);
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

std::optional<std::int64_t> counter_in(const Json& state, const char* key) {
  const auto found = state.find(key);
  if (found == state.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

// None where a state lacks the counter, or where numbers of a stranger overflow.
std::optional<std::int64_t> change_of(const char* key, std::span<const States> stretches) {
  std::int64_t sum = 0;
  for (const auto& [before, after] : stretches) {
    const auto from = counter_in(before, key), to = counter_in(after, key);
    std::int64_t change = 0;
    if (!from || !to || __builtin_sub_overflow(*to, *from, &change) ||
        __builtin_add_overflow(sum, change, &sum))
      return std::nullopt;
  }
  return stretches.empty() ? std::nullopt : std::optional(sum);
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
          {"throttled", throttled ? Json(*throttled) : Json("unavailable: no nr_throttled")},
          {"gpu_clocks", kNoGpu},
          {"gpu_throttle_reasons", kNoGpu}};
}

Json fingerprint(const Json& identity, std::span<const States> stretches) {
  constexpr const char* kNothing = "unavailable: nothing ran";
  auto print = identity.is_object() ? identity : Json::object();
  print["before"] = stretches.empty() ? Json(kNothing) : stretches.front().before;
  print["after"] = stretches.empty() ? Json(kNothing) : stretches.back().after;
  print["change"] = Json::object();
  for (const auto* key : kCounters)
    if (const auto sum = change_of(key, stretches)) print["change"][key] = *sum;
  return print;
}

}  // namespace inferometer::measure
