// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.hpp"

#include <cpuid.h>
#include <fmt/format.h>
#include <sched.h>
#include <xmmintrin.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/cgroup.hpp"
#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

// Larger than cpu_set_t's 1024 CPUs: the kernel refuses a mask smaller than its own.
using Mask = std::array<cpu_set_t, kMaxCpus / CPU_SETSIZE>;

[[noreturn]] void refuse_list(std::string_view text) {
  throw Error(Status::Invalid,
              fmt::format("'{}' is not a list of CPUs: expected numbers below {} and ranges, like "
                          "0-3,5",
                          printable(text), kMaxCpus),
              {{"cpus", printable(text)}});
}

int parse_cpu(std::string_view word, std::string_view text) {
  int cpu = -1;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), cpu);
  if (problem != std::errc() || end != word.data() + word.size() || cpu < 0 || cpu >= kMaxCpus)
    refuse_list(text);
  return cpu;
}

void add_range(CpuList& cpus, std::string_view range, std::string_view text) {
  const auto dash = range.find('-');
  const int first = parse_cpu(range.substr(0, dash), text);
  const int last = dash == std::string_view::npos ? first : parse_cpu(range.substr(dash + 1), text);
  if (last < first) refuse_list(text);
  for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

struct Cpuid {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Cpuid cpuid(unsigned leaf, unsigned subleaf = 0) {
  Cpuid out;
  __get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx);
  return out;
}

// Which register files the kernel saves: a feature bit without it is useless.
unsigned enabled_state(const Cpuid& basic) {
  if ((basic.ecx & bit_OSXSAVE) == 0) return 0;
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

std::string read_features() {
  const auto vendor = cpuid(0);
  const auto basic = cpuid(1);
  const auto extended = cpuid(7);
  const auto more = cpuid(7, 1);
  std::array<char, 12> name{};
  std::memcpy(name.data(), &vendor.ebx, 4);
  std::memcpy(name.data() + 4, &vendor.edx, 4);
  std::memcpy(name.data() + 8, &vendor.ecx, 4);
  return fmt::format("{}-{:x}-{:x}.{:x}-{:x}.{:x}.{:x}-{:x}.{:x}-{:x}",
                     std::string_view(name.data(), name.size()), basic.eax, basic.ecx, basic.edx,
                     extended.ebx, extended.ecx, extended.edx, more.eax, more.edx,
                     enabled_state(basic));
}

}  // namespace

CpuList parse_cpu_list(std::string_view text) {
  CpuList cpus;
  auto rest = trimmed(text);
  while (true) {
    const auto comma = rest.find(',');
    add_range(cpus, rest.substr(0, comma), text);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
    if (cpus.size() > kMaxCpus) refuse_list(text);
  }
  std::ranges::sort(cpus);
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::string cpu_list_text(const CpuList& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (last > i) text += '-' + std::to_string(cpus[last]);
    i = last + 1;
  }
  return text;
}

CpuList affinity() {
  Mask mask{};
  CpuList cpus;
  if (sched_getaffinity(0, sizeof mask, mask.data()) != 0) return {0};
  for (int cpu = 0; cpu < kMaxCpus; ++cpu)
    if (CPU_ISSET_S(static_cast<unsigned>(cpu), sizeof mask, mask.data())) cpus.push_back(cpu);
  return cpus;
}

void set_affinity(const CpuList& cpus) {
  Mask mask{};
  for (const int cpu : cpus)
    if (cpu >= 0 && cpu < kMaxCpus) CPU_SET_S(static_cast<unsigned>(cpu), sizeof mask, mask.data());
  const bool set = sched_setaffinity(0, sizeof mask, mask.data()) == 0;
  // The kernel drops CPUs that don't exist or that a cpuset forbids, and says nothing.
  if (set && affinity() == cpus) return;
  throw Error(
      Status::Invalid,
      fmt::format("can't run on CPUs {}: {}; the kernel gives {}", cpu_list_text(cpus),
                  set ? "some are not available" : std::strerror(errno), cpu_list_text(affinity())),
      {{"cpus", cpu_list_text(cpus)}});
}

AffinityScope::~AffinityScope() {
  try {
    set_affinity(before_);
  } catch (const Error&) {
    // A cpuset shrank meanwhile: the kernel has already given what is left.
  }
}

int default_threads(const std::filesystem::path& root) {
  const int cpus = static_cast<int>(affinity().size());
  const auto quota = cgroup_of_self(root).cpu_quota;
  if (!quota) return std::max(1, cpus);
  return std::clamp(static_cast<int>(std::min(*quota, double{kMaxCpus})), 1, std::max(1, cpus));
}

const std::string& cpu_features() {
  static const std::string features = read_features();
  return features;
}

MxcsrScope::MxcsrScope() noexcept : before_(_mm_getcsr()) {}
MxcsrScope::~MxcsrScope() {
  _mm_setcsr(before_);
}

}  // namespace inferometer
