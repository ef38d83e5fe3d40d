// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gnu/libc-version.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <sstream>

#include "base/cgroup.hpp"
#include "base/cpu.hpp"
#include "inferometer/error.hpp"
#include "measure/environment.hpp"
#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

namespace fs = std::filesystem;

// "model name\t: AMD EPYC" -> "AMD EPYC": the first processor's.
std::string cpuinfo_text(const std::string& cpuinfo, std::string_view key) {
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || !line.starts_with(key)) continue;
    if (line.find_first_not_of(" \t", key.size()) != colon) continue;
    const auto first = line.find_first_not_of(" \t", colon + 1);
    return first == std::string::npos ? "" : line.substr(first);
  }
  return fmt::format("unavailable: no '{}' in /proc/cpuinfo", key);
}

Json cpu_of(const fs::path& root) {
  const auto info = read_kernel_text(root / "proc/cpuinfo", 8u << 20).value_or("");
  Json cpu;
  for (const auto* key :
       {"model name", "vendor_id", "cpu family", "model", "stepping", "microcode"})
    cpu[key] = cpuinfo_text(info, key);
  cpu["flags"] = cpuinfo_text(info, "flags");
  cpu["online"] = kernel_word(root / "sys/devices/system/cpu/online");
  cpu["affinity"] = cpu_list_text(affinity());
  cpu["smt_active"] = kernel_word(root / "sys/devices/system/cpu/smt/active");
  const auto frequency = root / "sys/devices/system/cpu/cpu0/cpufreq";
  cpu["governor"] = kernel_word(frequency / "scaling_governor");
  cpu["max_khz"] = kernel_word(frequency / "cpuinfo_max_freq");
  cpu["boost"] = kernel_word(root / "sys/devices/system/cpu/cpufreq/boost");
  return cpu;
}

Json caches_of(const fs::path& root) {
  const auto folder = root / "sys/devices/system/cpu/cpu0/cache";
  Json caches = Json::array();
  for (int index = 0; index < 8; ++index) {
    const auto cache = folder / fmt::format("index{}", index);
    const auto size = read_kernel_text(cache / "size");
    if (!size) continue;
    caches.push_back({{"level", kernel_word(cache / "level")},
                      {"type", kernel_word(cache / "type")},
                      {"size", kernel_word(cache / "size")},
                      {"shared_cpus", kernel_word(cache / "shared_cpu_list")}});
  }
  if (caches.empty()) return "unavailable: nothing below " + folder.string();
  return caches;
}

Json numa_of(const fs::path& root) {
  const auto folder = root / "sys/devices/system/node";
  const auto online = read_kernel_text(folder / "online");
  if (!online) return kernel_word(folder / "online");
  Json nodes = Json::object();
  try {
    for (const int node : parse_cpu_list(*online))
      nodes[std::to_string(node)] = kernel_word(folder / fmt::format("node{}/cpulist", node));
  } catch (const Error& error) {
    return std::string("unavailable: ") + error.what();
  }
  return nodes;
}

Json hypervisor_of(const fs::path& root, const Json& cpu) {
  const auto flags = fmt::format(" {} ", cpu["flags"].get<std::string>());
  const bool guest = flags.find(" hypervisor ") != std::string::npos;
  const auto named = read_kernel_text(root / "sys/hypervisor/type");
  return {{"present", guest || named.has_value()},
          {"type", kernel_word(root / "sys/hypervisor/type")},
          {"vendor", kernel_word(root / "sys/class/dmi/id/sys_vendor")},
          {"product", kernel_word(root / "sys/class/dmi/id/product_name")}};
}

template <class T>
Json or_text(const std::optional<T>& value, const char* otherwise) {
  return value ? Json(*value) : Json(otherwise);
}

Json cgroup_facts(const fs::path& root) {
  const auto group = cgroup_of_self(root);
  return {{"version", group.version},
          {"cpu_quota", or_text(group.cpu_quota, "unlimited")},
          {"memory_limit_bytes", or_text(group.memory_limit_bytes, "unlimited")}};
}

Json memory_of(const fs::path& root) {
  const auto info = read_kernel_text(root / "proc/meminfo").value_or("");
  const auto bytes = [&](std::string_view key) -> Json {
    const auto kib = number_after(info, key);
    return kib ? Json(*kib * 1024) : Json(fmt::format("unavailable: no {} in /proc/meminfo", key));
  };
  return {
      {"total_bytes", bytes("MemTotal")},
      {"swap_bytes", bytes("SwapTotal")},
      {"transparent_hugepages", kernel_word(root / "sys/kernel/mm/transparent_hugepage/enabled")}};
}

}  // namespace

Json machine(const fs::path& root) {
  const auto cpu = cpu_of(root);
  return {{"cpu", cpu},
          {"caches", caches_of(root)},
          {"numa", numa_of(root)},
          {"hypervisor", hypervisor_of(root, cpu)},
          {"kernel", kernel_word(root / "proc/sys/kernel/osrelease")},
          {"libc", fmt::format("glibc {}", gnu_get_libc_version())},
          {"cgroup", cgroup_facts(root)},
          {"memory", memory_of(root)},
          {"gpu", {{"model", kNoGpu}, {"driver", kNoGpu}}},
          {"build", build_facts()}};
}

std::string machine_id(const Json& machine) {
  constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;
  auto cpu = machine.at("cpu");
  cpu.erase("microcode");
  const auto& total = machine.at("memory").at("total_bytes");
  // The kernel keeps a little more or less for itself at every start.
  const Json memory =
      total.is_number() ? Json((total.get<std::int64_t>() + kGibibyte / 2) / kGibibyte) : total;
  const Json kept = {cpu, machine.at("caches"), machine.at("numa"), machine.at("cgroup"), memory};
  const auto text = kept.dump();
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

}  // namespace inferometer::measure
