// SPDX-License-Identifier: Apache-2.0
#include "campaign/machine_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/file.hpp"
#include "campaign/machine_advice.hpp"
#include "graph/onnx.hpp"
#include "graph/zoo.hpp"
#include "measure/environment.hpp"
#include "measure/pool.hpp"
#include "measure/statistics.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::array<DType, 5> kDTypes = {DType::F32, DType::F64, DType::BF16, DType::F16,
                                          DType::I8};
constexpr std::array<std::int64_t, 3> kWindowsNs = {1'000'000'000, 3'000'000'000, 10'000'000'000};
constexpr double kMostSeconds = 3600;
constexpr double kPeakShare = 0.1, kNoiseShare = 0.6;  // of all the work, for the progress
constexpr const char* kNetwork = "resnet50";
constexpr int kWakings = 24;
constexpr std::int64_t kBatchesAfterWaking = 6;
constexpr double kBias = 0.02;

// 1, 2, 4, ... and all of them.
std::vector<std::int64_t> thread_counts(std::int64_t most) {
  std::vector<std::int64_t> counts;
  for (std::int64_t threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  return counts;
}

void measure_peaks(Lab& lab, std::int64_t most_threads, MachineProfile& profile) {
  std::set<DType> missing;
  for (const auto threads : thread_counts(most_threads))
    for (const auto dtype : kDTypes) {
      const auto peaks = lab.peaks(threads, dtype);
      if (peaks.flops_per_s)
        profile.compute.push_back(
            {dtype, threads, peaks.isa, *peaks.flops_per_s, peaks.flops_spread});
      else if (missing.insert(dtype).second)
        profile.unavailable.push_back(fmt::format("peak of {}: {}", to_string(dtype), peaks.why));
      if (dtype == DType::F32 && peaks.bytes_per_s)
        profile.bandwidth.push_back({threads, *peaks.bytes_per_s, peaks.bytes_spread});
    }
}

// The canary again and again: fixed work on every CPU that an engine would use.
void watch_noise(const MachineOptions& options, Lab& lab, const Progress& progress,
                 const std::stop_token& stop, MachineProfile& profile) {
  const auto cpus = lab.cpus({});
  std::vector<measure::Repetition> series;
  std::vector<measure::CanaryReading> readings;
  const auto start = lab.now_ns();
  for (double done = 0; done < options.seconds;) {
    if (stop.stop_requested()) return;
    const auto at = lab.now_ns() - start;
    const auto reading = lab.canary(cpus, measure::kCanaryNs);
    if (!reading) break;
    series.push_back({at, reading->fma_ns + reading->stream_ns});
    readings.push_back(*reading);
    done = static_cast<double>(lab.now_ns() - start) / 1e9;
    if (progress && readings.size() % 64 == 0)
      progress({"watching the machine's noise",
                kPeakShare + kNoiseShare * std::min(1.0, done / options.seconds), std::nullopt});
  }
  const auto verdict = measure::judge(readings);
  profile.noise = {options.seconds, std::string(measure::to_string(verdict.noise)), verdict.text,
                   measure::noise_profile(series, kWindowsNs)};
}

struct Network {
  std::filesystem::path path;
  double flops = 0;  ///< of a batch of one
  std::vector<Tensor> inputs;
};

Network write_network(const ScratchFolder& folder, Lab& lab) {
  Network network{.path = folder.path() / (std::string(kNetwork) + ".onnx")};
  graph::write_onnx(graph::zoo(kNetwork, {.batch = 1}), network.path);
  const auto facts = lab.model(network.path);
  network.flops = 2 * static_cast<double>(facts.macs.value_or(0));
  network.inputs = measure::pool_inputs(facts.inputs, 1, measure::kSeed);
  return network;
}

void watch_wakings(CellWorker& worker, const Network& network, EngineFacts& facts) {
  std::vector<double> ratios, batches;
  for (int waking = 0; waking < kWakings; ++waking) {
    worker.park();
    worker.wake();
    const auto timings = worker.block(kBatchesAfterWaking, process::Poison::Off).timings_ns;
    const std::vector<double> later(timings.begin() + 1, timings.end());
    batches.push_back(measure::median(later));
    ratios.push_back(static_cast<double>(timings.front()) / batches.back());
  }
  facts.flops_per_s = network.flops / measure::median(batches) * 1e9;
  const auto interval = measure::median_interval(ratios).value();
  facts.first_batch_ratio = interval.estimate;
  facts.first_batch_lower = interval.lower;
  facts.first_batch_upper = interval.upper;
}

EngineFacts look_at(const EngineStatus& engine, const Network& network, Lab& lab) {
  EngineFacts facts{.engine = engine.name, .version = engine.version};
  if (!engine.available) {
    facts.why = engine.reason;
    return facts;
  }
  try {
    const auto worker = lab.worker({network.path.string(), engine.name, engine.name, {}, ""});
    const auto report = worker->load();
    facts.load_s = static_cast<double>(report.load_ns) / 1e9;
    worker->prepare(network.inputs);
    worker->block(kBatchesAfterWaking, process::Poison::Off);
    watch_wakings(*worker, network, facts);
  } catch (const Error& error) {
    facts.why = error.what();
  }
  return facts;
}

void look_at_engines(const MachineOptions& options, Lab& lab, const Progress& progress,
                     const std::stop_token& stop, MachineProfile& profile) {
  if (options.engines.empty()) return;
  const ScratchFolder folder("inferometer-machine");
  const auto network = write_network(folder, lab);
  const auto engines = lab.engines();
  for (const auto& name : options.engines) {
    if (stop.stop_requested()) return;
    const auto done =
        static_cast<double>(profile.engines.size()) / static_cast<double>(options.engines.size());
    if (progress)
      progress({fmt::format("looking at {}", name),
                kPeakShare + kNoiseShare + (1 - kPeakShare - kNoiseShare) * done, std::nullopt});
    profile.engines.push_back(look_at(engine_named(engines, name), network, lab));
  }
}

}  // namespace

bool EngineFacts::first_batch_biased() const noexcept {
  return why.empty() && (first_batch_lower > 1 + kBias || first_batch_upper < 1 - kBias);
}

void check_machine_options(const MachineOptions& options, Lab& lab) {
  if (!(options.seconds >= 1 && options.seconds <= kMostSeconds))
    throw Error(Status::Invalid,
                fmt::format("{:g} seconds: expected 1 to {:g}", options.seconds, kMostSeconds));
  for (const auto& name : options.engines) engine_named(lab.engines(), name);
}

std::optional<MachineProfile> measure_machine(const MachineOptions& options, Lab& lab,
                                              const Progress& progress, std::stop_token stop) {
  check_machine_options(options, lab);
  MachineProfile profile{.time = lab.utc(), .machine = lab.machine()};
  profile.machine_id = measure::machine_id(profile.machine);
  if (progress) progress({"measuring peaks", 0, std::nullopt});
  measure_peaks(lab, static_cast<std::int64_t>(lab.cpus({}).size()), profile);
  measure::States states{.before = lab.state()};
  watch_noise(options, lab, progress, stop, profile);
  states.after = lab.state();
  look_at_engines(options, lab, progress, stop, profile);
  if (stop.stop_requested()) return std::nullopt;
  add_unavailable(profile.machine, "", profile.unavailable);
  profile.advice = advice_of(profile, measure::fingerprint(Json::object(), std::span(&states, 1)));
  return profile;
}

}  // namespace inferometer::campaign
