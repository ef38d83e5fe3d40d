// SPDX-License-Identifier: Apache-2.0
// A worker seen from its parent: a process that holds one loaded model (or none), answers
// predictions and runs timed blocks.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "inferometer/engines.hpp"
#include "inferometer/model.hpp"

namespace inferometer::process {

/// Zero = no limit. A limit that is reached kills the worker's whole process tree.
struct Limits {
  std::chrono::milliseconds start{30'000};  ///< from spawn to the first answer
  std::chrono::milliseconds load{0};
  std::chrono::milliseconds call{0};  ///< one predict, block, canary, explain or profile
  std::uint64_t memory_bytes = 0;     ///< resident set of the process tree
};

struct WorkerOptions {
  std::filesystem::path program;  ///< empty: find_worker_program()
  std::vector<int> cpus;          ///< the worker's affinity, set before exec; empty: the caller's
  std::map<std::string, std::string> environment;  ///< added to ours, set before exec
  Limits limits;
  /// Receives what the worker and its engine print, in pieces; called on a thread that waits for
  /// the worker, one call at a time; it must not call the worker.
  std::function<void(std::string_view)> log;
};

struct LoadReport {
  Info info;
  std::int64_t load_ns = 0;  ///< wall time of load inside the worker, hashing left out
};

/// Poison: outputs are filled with 0xff before every run, outside the timing.
enum class Poison { Off, On };

struct BlockReport {
  /// in_flight = 1: one timing per batch. Otherwise one for the whole block.
  std::vector<std::int64_t> timings_ns;
  std::int64_t batches = 0;
  std::int64_t samples = 0;  ///< rows computed in all
  std::int64_t wall_ns = 0;  ///< first batch handed over to last output readable
  std::int64_t cpu_ns = 0;   ///< CPU time of the worker process in wall_ns, all threads
};

/// One arrival of an open loop, on a clock that starts with the loop.
struct Served {
  std::int64_t start_ns = 0;  ///< not before it came; later when nobody was free
  std::int64_t end_ns = 0;    ///< outputs readable
};

/// When an open loop is hopeless: no more arrivals are taken once more than `most_over` took longer
/// than `latency_ns` from their intended start. The default: never.
struct GiveUp {
  std::int64_t latency_ns = std::numeric_limits<std::int64_t>::max();
  std::uint64_t most_over = 0;
};

struct OpenLoopReport {
  std::vector<Served> served;  ///< the first so many arrivals, in their order; all, unless given up
  std::int64_t cpu_ns = 0;     ///< CPU time of the worker process meanwhile, all threads
};

/// Thread-safe, except that prepare, run_block and run_open belong to one thread at a time. Every
/// member throws the Error that the worker met, or Error{Crashed | Timeout | OutOfMemory} when the
/// worker itself is lost: context "signal" or "exit_code", "stage", and "log" with the last lines
/// it printed. A lost worker repeats that error for every later call. Calls sleep while they wait;
/// predict looks for its answer for 50 us first.
class Worker {
 public:
  /// Spawns and greets. Throws Error{Unavailable} when the program isn't found or can't be started.
  explicit Worker(const WorkerOptions& options = {});
  /// Asks the worker to end, waits a moment, then kills its process tree. Leaves nothing behind.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Loads the one model of this worker, in its process, whatever param `isolation` says.
  LoadReport load(const std::filesystem::path& path, const Params& params);
  /// The engine's status as seen from a fresh process. `library`: a chosen file, or empty.
  EngineStatus probe(const std::string& engine, const std::string& library = {});

  /// As core::Runner. Views into shared pages (allocate, shared_tensor) are not copied.
  std::vector<Tensor> predict(std::span<const View> inputs, std::stop_token stop = {});
  void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                    std::stop_token stop = {});
  Tensor allocate(const Port& port, std::int64_t rows);
  std::string explain();
  std::string profile();

  /// Sets what run_block and run_open compute: one batch, in port order. Read in place when in
  /// shared pages (one shared_tensor may serve many workers), else copied once. Inputs must outlive
  /// the blocks.
  void prepare(std::span<const Tensor> inputs);
  /// `batches` consecutive batches of the prepared inputs, timed inside the worker. The first
  /// timing of the first block after load is the first inference.
  BlockReport run_block(std::int64_t batches, Poison poison = Poison::Off);
  /// The prepared batch at each of these times, nanoseconds from the start, ascending, at most a
  /// million. As many threads as the model has streams in force serve them, first come, first
  /// served, asleep until a request comes; a late one starts at once. It may take
  /// Limits::call longer than the last arrival.
  OpenLoopReport run_open(std::span<const std::int64_t> arrivals_ns, const GiveUp& give_up = {});
  /// What the last batch of the last block wrote, in shared pages; empty before the first block and
  /// for outputs whose shapes depend on the data.
  std::vector<Tensor> block_outputs() const;

  /// Drops the model and what was prepared for it, and trims the heap of the C library. Afterwards
  /// another may be loaded.
  void unload();

  /// Runs the measuring canary in the worker (no model needed), as measure defines it.
  Json canary(const Json& request);

  /// Stops the process tree (SIGSTOP) and returns when every process of it has stopped.
  void park();
  /// Wakes it (SIGCONT). Any call to a parked worker wakes it first.
  void wake();

  pid_t pid() const noexcept;
  /// The worker, its descendants and whatever else is in its session.
  std::vector<pid_t> process_tree() const;
  /// False once the worker is lost.
  bool alive() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// INFEROMETER_WORKER, else beside this library or program (same folder, ../bin, ../libexec).
/// Throws Error{Unavailable} listing where it looked.
std::filesystem::path find_worker_program();

}  // namespace inferometer::process
