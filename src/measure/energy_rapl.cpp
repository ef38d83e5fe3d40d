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

// By the folder's name; the class folder lists subzones ("intel-rapl:0:2") beside their zones.
std::map<std::string, fs::path> zone_folders(const fs::path& folder) {
  std::map<std::string, fs::path> zones;
  std::error_code problem;
  for (fs::directory_iterator each(folder, problem), end; !problem && each != end;
       each.increment(problem))
    if (auto name = each->path().filename().string(); name.starts_with(kPrefix))
      zones.emplace(std::move(name), each->path());
  return zones;
}

struct Number {
  EnergyReading reading;
  int problem = 0;  ///< errno
};

Number read_number(const fs::path& path) {
  const auto text = read_kernel_text(path);
  const int problem = text ? 0 : errno;
  if (!text) return {{{}, path.string() + ": " + std::strerror(problem)}, problem};
  std::uint64_t value = 0;
  const auto [end, bad] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (bad != std::errc()) return {{{}, path.string() + ": no number"}};
  return {{value, ""}};
}

// The zone's name; a subzone's is told with its package's: "dram of package-0".
std::string name_of(const std::string& folder, const std::map<std::string, fs::path>& zones) {
  auto own = kernel_word(zones.at(folder) / "name");
  const auto above = zones.find(folder.substr(0, folder.rfind(':')));
  if (above == zones.end()) return own;
  return own + " of " + kernel_word(above->second / "name");
}

bool is_package(const std::string& name) {
  return name.starts_with("package");
}

class Rapl : public EnergySource {
 public:
  explicit Rapl(const fs::path& root) {
    const auto folder = root / "sys/class/powercap";
    const auto zones = zone_folders(folder);
    std::string seen;
    for (const auto& [folder_name, path] : zones) {
      const auto name = name_of(folder_name, zones);
      seen += " " + name;
      if (is_package(name) || name.starts_with("dram")) add(name, path);
    }
    if (std::ranges::any_of(domains_, is_package, &EnergyDomain::name)) return;
    if (!without_.empty()) throw Error(Status::Unavailable, without_ + remedy_);
    throw Error(Status::Unavailable,
                fmt::format("no package among {}/{}*: {}", folder.string(), kPrefix,
                            seen.empty() ? "nothing is there (a virtual machine, or intel_rapl_msr "
                                           "is not loaded)"
                                         : "only" + seen));
  }

  std::string method() const override {
    return without_.empty() ? "RAPL" : "RAPL without " + without_ + remedy_;
  }
  const std::vector<EnergyDomain>& domains() const override { return domains_; }
  std::vector<EnergyReading> read() override {
    std::vector<EnergyReading> readings;
    for (const auto& counter : counters_) readings.push_back(read_number(counter).reading);
    return readings;
  }

 private:
  void add(const std::string& name, const fs::path& zone) {
    const auto counter = zone / "energy_uj";
    if (const auto now = read_number(counter); !now.reading.uj) {
      without_ += fmt::format("{}{} ({})", without_.empty() ? "" : ", ", name, now.reading.why);
      // Since CVE-2020-8694, power as a side channel.
      if (now.problem == EACCES)
        remedy_ =
            "; Linux lets root alone read it: measure as root, or as root allow it with chmod a+r "
            "/sys/class/powercap/intel-rapl:*/energy_uj";
      return;
    }
    domains_.push_back({name, read_number(zone / "max_energy_range_uj").reading.uj.value_or(0)});
    counters_.push_back(counter);
  }

  std::vector<EnergyDomain> domains_;
  std::vector<fs::path> counters_;
  std::string without_, remedy_;  ///< what can't be read
};

}  // namespace

std::unique_ptr<EnergySource> rapl_source(const fs::path& root) {
  return std::make_unique<Rapl>(root);
}

}  // namespace inferometer::measure
