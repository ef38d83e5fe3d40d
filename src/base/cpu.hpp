// SPDX-License-Identifier: Apache-2.0
// CPUs: which this thread may use, how many it should, what they can do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer {

/// CPU numbers, ascending, without repetition.
using CpuList = std::vector<int>;

/// Highest CPU number that we handle, plus one.
inline constexpr int kMaxCpus = 8192;

/// "0-3,5" (the kernel's form). Throws Error{Invalid} naming the text.
CpuList parse_cpu_list(std::string_view text);
/// The inverse: "0-3,5".
std::string cpu_list_text(const CpuList& cpus);

/// CPUs that the calling thread may run on.
CpuList affinity();
/// For the calling thread and threads that it starts later. Throws Error{Invalid} naming the CPUs
/// that this process may not use.
void set_affinity(const CpuList& cpus);

/// The calling thread's affinity for a while; must end on the thread that it began on.
class AffinityScope {
 public:
  explicit AffinityScope(const CpuList& cpus) : before_(affinity()) { set_affinity(cpus); }
  ~AffinityScope();
  AffinityScope(const AffinityScope&) = delete;
  AffinityScope& operator=(const AffinityScope&) = delete;

 private:
  CpuList before_;
};

/// The default of `threads`: min(CPUs of the affinity, whole CPUs of the cgroup quota), at least 1.
/// `root` stands before /proc and /sys/fs/cgroup.
int default_threads(const std::filesystem::path& root = "/");

/// What decides which machine code may run here: vendor, family, model and feature bits, as one
/// word for artifact keys. Equal on equal CPUs, whatever core it is called on.
const std::string& cpu_features();

/// The thread's floating-point control (rounding, flush-to-zero, masks), put back at the end:
/// engines change it and forget.
class MxcsrScope {
 public:
  MxcsrScope() noexcept;
  ~MxcsrScope();
  MxcsrScope(const MxcsrScope&) = delete;
  MxcsrScope& operator=(const MxcsrScope&) = delete;

 private:
  std::uint32_t before_;
};

}  // namespace inferometer
