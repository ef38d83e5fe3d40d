// SPDX-License-Identifier: Apache-2.0
// What a machine is worth, measured once and kept: peaks, noise, and how engines behave on it. The
// roofline and the cost model read it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "campaign/lab.hpp"
#include "campaign/progress.hpp"
#include "measure/noise_profile.hpp"

namespace inferometer::campaign {

/// Multiply-adds of one dtype, two operations each.
struct ComputePeak {
  DType dtype = DType::F32;
  std::int64_t threads = 1;
  std::string isa;
  double flops_per_s = 0, spread = 0;
};

struct BandwidthPeak {
  std::int64_t threads = 1;
  double bytes_per_s = 0, spread = 0;
};

/// How an engine behaves, seen on one network.
struct EngineFacts {
  std::string engine, version;
  std::string why;               ///< it could not be measured; the rest is then 0
  double load_s = 0;             ///< of the network
  double flops_per_s = 0;        ///< on it, 2 x MACs over the time of a batch
  double first_batch_ratio = 0;  ///< first batch after waking over the median of those after it
  double first_batch_lower = 0, first_batch_upper = 0;  ///< at 95 %
  /// The interval excludes 1 by more than 2 %: a batch runs unseen after each waking.
  bool first_batch_biased() const noexcept;
};

struct Noise {
  double seconds = 0;                        ///< that were watched
  std::string verdict;                       ///< fit, noisy, unfit
  std::string text;                          ///< of the canary
  std::vector<measure::WindowError> errors;  ///< A/A, by length of measuring
};

struct MachineProfile {
  std::string machine_id;  ///< measure::machine_id
  std::string time;        ///< UTC
  Json machine;            ///< measure::machine
  std::vector<ComputePeak> compute;
  std::vector<BandwidthPeak> bandwidth;
  Noise noise;
  std::vector<EngineFacts> engines;
  std::vector<std::string> unavailable;  ///< "governor: no such file": what can't be had here
  std::vector<std::string> advice;       ///< sentences
};

struct MachineOptions {
  double seconds = 45;               ///< of the noise profile
  std::vector<std::string> engines;  ///< to look at; none: only the machine
};

/// Throws Error{Invalid} for seconds out of 1..3600 and an unknown engine.
void check_machine_options(const MachineOptions& options, Lab& lab);

/// Minutes. Parts that fail say why. None when `stop` was requested before all was measured: half a
/// profile is none. Throws as check_machine_options.
std::optional<MachineProfile> measure_machine(const MachineOptions& options, Lab& lab,
                                              const Progress& progress, std::stop_token stop = {});

Json to_json(const MachineProfile& profile);
/// Bounded. Throws Error{Invalid} naming the key.
MachineProfile machine_profile_from_json(const Json& json);

/// Kept as `cache_dir`/machine-ID.json; none: nothing is kept there, it can't be read, or the
/// machine was unfit when it was made.
std::optional<MachineProfile> kept_profile(const std::filesystem::path& cache_dir,
                                           const std::string& machine_id);
/// Does nothing when `cache_dir` is empty. Throws Error{Invalid} when it can't be written.
void keep_profile(const std::filesystem::path& cache_dir, const MachineProfile& profile);

/// Null when the profile has none for it.
const EngineFacts* facts_of(const MachineProfile& profile, const std::string& engine);

}  // namespace inferometer::campaign
