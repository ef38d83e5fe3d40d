// SPDX-License-Identifier: Apache-2.0
// The seams through which a campaign touches the machine: models, engines, worker processes, the
// clock, the canary. Unit tests put fakes here; make_lab() gives the real thing.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "inferometer/engines.hpp"
#include "inferometer/model.hpp"
#include "measure/canary.hpp"
#include "measure/energy.hpp"
#include "measure/memory.hpp"
#include "measure/outcome.hpp"
#include "measure/page_cache.hpp"
#include "measure/parity.hpp"
#include "measure/tasks.hpp"
#include "process/worker.hpp"

namespace inferometer::campaign {

/// What a model file tells before any engine loads it.
struct ModelFacts {
  std::string hash;                          ///< with its external data
  std::vector<std::filesystem::path> files;  ///< its own, then those of its external data
  std::vector<Port> inputs, outputs;         ///< empty: our reader can't tell, `why` says why
  std::optional<std::int64_t> macs;          ///< per sample
  std::optional<std::int64_t> parameters;
  std::optional<std::int64_t> activation_bytes;  ///< that live at the same time, per sample
  /// By output: those that a Softmax makes. Empty: our reader can't tell.
  std::vector<std::optional<measure::Softmax>> softmaxes;
  std::string why;
};

/// A worker process that holds one loaded (model, engine, params): process::Worker as far as a
/// campaign needs it, with its errors. Used by one thread.
class CellWorker {
 public:
  virtual ~CellWorker() = default;
  virtual process::LoadReport load() = 0;
  virtual std::vector<Tensor> predict(std::span<const View> inputs) = 0;
  virtual void prepare(std::span<const Tensor> inputs) = 0;
  virtual process::BlockReport block(std::int64_t batches, process::Poison poison) = 0;
  virtual process::OpenLoopReport open_loop(std::span<const std::int64_t> arrivals_ns,
                                            const process::GiveUp& give_up,
                                            const std::stop_token& stop) = 0;
  virtual std::vector<Tensor> outputs() const = 0;
  virtual std::string profile() = 0;
  virtual void park() = 0;
  /// CPU time of every task of the process tree; empty when it has ended.
  virtual std::vector<measure::TaskTime> tasks() const = 0;
  virtual void wake() = 0;
  /// Opens the engine's library without loading a model.
  virtual void open_library() = 0;
  virtual void unload() = 0;
  /// Files that the process maps.
  virtual std::set<std::filesystem::path> mapped_files() const = 0;
  /// Memory of the process tree: peaks begin anew / a phase ends / Field keys of the phases ended.
  virtual void begin_phase() = 0;
  virtual void end_phase(measure::MemoryPhase phase) = 0;
  virtual Json memory() const = 0;
  virtual std::int64_t anonymous_bytes() const = 0;  ///< that are resident now
};

/// The machine's peaks for T threads, for the roofline.
struct Peaks {
  std::optional<double> flops_per_s, bytes_per_s;
  std::string why;  ///< when one of them can't be had
  double flops_spread = 0, bytes_spread = 0;
  std::string isa;  ///< of the multiply-adds
};

class Lab {
 public:
  virtual ~Lab() = default;
  virtual std::vector<EngineStatus> engines() = 0;
  /// Hash of an engine's plugin: which code of ours ran. Empty: there is none.
  virtual std::string plugin_hash(const std::string& engine) = 0;
  /// Throws Error{Invalid} naming the path for a file that isn't there.
  virtual ModelFacts model(const std::filesystem::path& path) = 0;
  /// A fresh process; nothing is loaded yet. Throws Error{Unavailable} when it can't be started.
  virtual std::unique_ptr<CellWorker> worker(const measure::Cell& cell) = 0;
  /// Returns what stayed.
  virtual measure::CachedBytes drop_from_page_cache(
      std::span<const std::filesystem::path> files) = 0;
  /// Zeroed memory that every worker reads without a copy.
  virtual Tensor shared(DType dtype, const Shape& shape) = 0;
  /// The CPUs of a worker with these params (`threads` and `cpus` count): the same for all cells,
  /// because a comparison across CPUs cancels nothing, and fewer lie within more. Throws
  /// Error{Invalid}.
  virtual std::vector<int> cpus(const Params& params) = 0;
  /// What the machine is worth now, on these CPUs, by bursts of about `aim_ns`; none: no canary.
  virtual std::optional<measure::CanaryReading> canary(const std::vector<int>& cpus,
                                                       std::int64_t aim_ns) = 0;
  /// Measured once per number of threads and dtype of the factors, then remembered.
  virtual Peaks peaks(std::int64_t threads, DType dtype) = 0;
  /// Bytes that processes of ours may still take before the machine swaps or a limit strikes.
  virtual double free_bytes() = 0;
  /// What measures energy here: the counters, or the log when its path isn't empty. Throws
  /// Error{Unavailable} with the reason of each, Error{Invalid} for a log that is wrong.
  virtual std::unique_ptr<measure::EnergyMeter> energy_meter(
      const std::filesystem::path& power_log) = 0;
  /// Waits; ends early when a stop is requested.
  virtual void rest(std::int64_t duration_ns, std::stop_token stop) = 0;
  virtual Json machine() = 0;         ///< measure::machine
  virtual Json state() = 0;           ///< measure::state
  virtual std::int64_t now_ns() = 0;  ///< monotonic
  virtual std::int64_t cpu_ns() = 0;  ///< CPU time of this process, all threads
  virtual std::string utc() = 0;      ///< "2026-01-31T12:00:00Z"
};

/// The status of one engine. Throws Error{Invalid} with the nearest name.
const EngineStatus& engine_named(const std::vector<EngineStatus>& engines, const std::string& name);

/// A hang is an outcome, but VGG19 on the reference engine may take its minutes.
inline constexpr std::chrono::minutes kCallLimit{15};

/// Real engines in real worker processes, each call of which may last `call_limit`.
std::unique_ptr<Lab> make_lab(std::chrono::milliseconds call_limit = kCallLimit);

}  // namespace inferometer::campaign
