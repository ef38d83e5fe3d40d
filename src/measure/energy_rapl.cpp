// SPDX-License-Identifier: Apache-2.0
#include "measure/energy_rapl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>

#include "inferometer/error.hpp"
#include "measure/procfs.hpp"

namespace inferometer::measure {
namespace {

namespace fs = std::filesystem;

// What AMD's processors are shown under too. "intel-rapl-mmio" shows the same packages again.
constexpr std::string_view kPrefix = "intel-rapl:";

struct Zone {
  EnergyDomain domain;
  fs::path counter;
};

// Zones by their folder's name ("intel-rapl:0", "intel-rapl:0:2"), once each: the class folder
// lists subzones beside their zones, and each zone's folder holds its own again.
std::map<std::string, fs::path> zone_folders(const fs::path& folder) {
  std::map<std::string, fs::path> zones;
  std::error_code problem;
  for (fs::directory_iterator each(folder, problem), end; !problem && each != end;
       each.increment(problem)) {
    const auto name = each->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    zones.emplace(name, each->path());
    if (std::ranges::count(name, ':') == 1) zones.merge(zone_folders(each->path()));
  }
  return zones;
}

EnergyReading read_number(const fs::path& path) {
  const auto text = read_kernel_text(path);
  if (!text) return {{}, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  std::uint64_t value = 0;
  const auto [end, bad] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (bad != std::errc()) return {{}, path.string() + ": no number"};
  return {value, ""};
}

// The zone's name; a subzone's is told with its package's: "dram of package-0".
std::string name_of(const std::string& folder, const std::map<std::string, fs::path>& zones) {
  const auto own = kernel_word(zones.at(folder) / "name");
  const auto above = zones.find(folder.substr(0, folder.rfind(':')));
  if (above == zones.end()) return own;
  return own + " of " + kernel_word(above->second / "name");
}

bool counts(const std::string& name) {
  return name.starts_with("package") || name.starts_with("dram");
}

class Rapl : public EnergySource {
 public:
  explicit Rapl(const fs::path& root) {
    const auto folder = root / "sys/class/powercap";
    const auto zones = zone_folders(folder);
    std::string seen;
    for (const auto& [name, path] : zones) add(name_of(name, zones), path, seen);
    if (!domains_.empty()) return;
    if (!without_.empty()) throw Error(Status::Unavailable, without_);
    throw Error(
        Status::Unavailable,
        fmt::format("no package among {}/{}*{}", folder.string(), kPrefix,
                    seen.empty() ? ": nothing is there (a virtual machine, or intel_rapl_msr "
                                   "is not loaded)"
                                 : ", only" + seen));
  }

  std::string method() const override {
    return without_.empty() ? "RAPL" : "RAPL without " + without_;
  }
  const std::vector<EnergyDomain>& domains() const override { return domains_; }
  std::vector<EnergyReading> read() override {
    std::vector<EnergyReading> readings;
    for (const auto& counter : counters_) readings.push_back(read_number(counter));
    return readings;
  }

 private:
  void add(const std::string& name, const fs::path& zone, std::string& seen) {
    seen += " " + name;
    if (!counts(name)) return;
    const auto counter = zone / "energy_uj";
    errno = 0;
    if (const auto reading = read_number(counter); !reading.uj) {
      const bool refused = errno == EACCES || errno == EPERM;
      without_ += fmt::format("{}{} ({}{})", without_.empty() ? "" : ", ", name, reading.why,
                              refused ? kAllow : "");
      return;
    }
    domains_.push_back({name, read_number(zone / "max_energy_range_uj").uj.value_or(0)});
    counters_.push_back(counter);
  }

  // Since CVE-2020-8694 (power as a side channel) Linux lets root alone read it.
  static constexpr std::string_view kAllow =
      "; Linux lets root alone read it: measure as root, or as root allow it with chmod a+r "
      "/sys/class/powercap/intel-rapl:*/energy_uj";

  std::vector<EnergyDomain> domains_;
  std::vector<fs::path> counters_;
  std::string without_;  ///< what can't be read
};

}  // namespace

std::unique_ptr<EnergySource> rapl_source(const fs::path& root) {
  return std::make_unique<Rapl>(root);
}

}  // namespace inferometer::measure
