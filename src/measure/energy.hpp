// SPDX-License-Identifier: Apache-2.0
// Energy: what the machine, or a part of it, used between two moments. Read from counters of the
// hardware or from a power meter's log; where neither can be had there is no number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inferometer::measure {

/// One cumulative counter.
struct EnergyDomain {
  std::string name;            ///< "package-0", "dram of package-0", "GPU 0 NVIDIA H100"
  std::uint64_t range_uj = 0;  ///< it starts anew at 0 beyond this; 0: it never does
};

/// A counter at one moment, in microjoules; none: `why`.
struct EnergyReading {
  std::optional<std::uint64_t> uj;
  std::string why;
};

/// Counters of one kind. Used by one thread at a time.
class EnergySource {
 public:
  virtual ~EnergySource() = default;
  /// "RAPL", and what of it is left out and why.
  virtual std::string method() const = 0;
  /// At least one; the same all the time.
  virtual const std::vector<EnergyDomain>& domains() const = 0;
  /// One reading per domain, in their order. Never throws.
  virtual std::vector<EnergyReading> read() = 0;
};

/// Less of a window covered by readings, and it has no joules.
inline constexpr double kLeastCoverage = 0.95;

/// What was used in one window. A domain's joules are its mean power while it was read times the
/// whole window.
struct EnergyWindow {
  std::map<std::string, double> joules;  ///< by domain; empty: `why`
  std::string why;
  std::int64_t wall_ns = 0;
  double coverage = 0;  ///< share of wall_ns that readings tell, of the domain with the least
  std::string method;

  std::optional<double> total_j() const;  ///< of all domains
  std::optional<double> mean_w() const;
};

/// Measures windows that follow each other: start, stop, start, stop, ... then `windows`. Used by
/// one thread.
class EnergyMeter {
 public:
  virtual ~EnergyMeter() = default;
  virtual void start() = 0;
  virtual void stop() = 0;
  /// How long after a stop its window is surely known.
  virtual std::int64_t lag_ns() const = 0;
  /// Of every start and stop so far. Throws Error{Unavailable} when what should tell them stands
  /// still, Error{Invalid} for a log that is malformed.
  virtual std::vector<EnergyWindow> windows() = 0;
};

using Clock = std::function<std::int64_t()>;  ///< ns
std::int64_t steady_ns();
std::int64_t realtime_ns();  ///< since 1970, UTC

/// Where to look: tests give places of their own.
struct EnergyPlaces {
  std::filesystem::path power_log;  ///< when given, it alone counts: a meter's log holds it all
  std::filesystem::path root = "/";
  std::filesystem::path nvml = "libnvidia-ml.so.1";
};

/// RAPL and NVML together, or the log. Throws Error{Unavailable} with the reason of each, and
/// Error{Invalid} for a log that can't be read or is malformed.
std::unique_ptr<EnergyMeter> make_energy_meter(const EnergyPlaces& places);

}  // namespace inferometer::measure
