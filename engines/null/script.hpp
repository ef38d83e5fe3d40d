// SPDX-License-Identifier: Apache-2.0
// What the null engine was told to do: the truths that the measuring harness is tested against.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/engine_plugin.hpp"

namespace inferometer::null {

/// What goes wrong, from run `fault_at` on (Error, Crash, Hang and OutOfMemory: at that run).
enum class Fault { None, Wrong, Nan, Swapped, Stale, Lost, Error, OutOfMemory, Crash, Hang };

struct Script {
  std::int64_t batch_work_kfma = 0;  ///< dependent multiply-adds, in thousands, for every batch
  std::int64_t row_work_kfma = 0;    ///< and for every row of it
  std::vector<double> times_us;      ///< run n takes times_us[n mod size]; empty: no waiting
  bool sleeps = false;               ///< waits asleep instead of busy
  double drift = 0;                  ///< run n takes (1 + drift * n) times as long
  std::int64_t warm_up_runs = 0;     ///< so many first runs take warm_up_factor times as long
  double warm_up_factor = 1;
  std::int64_t leak_bytes = 0;  ///< lost for good in every run
  std::int64_t peak_bytes = 0;  ///< allocated, touched and freed in every run
  Fault fault = Fault::None;
  std::int64_t fault_at = 1;
  bool quiet = true;  ///< nothing of the above is asked for
};

std::vector<ParamSpec> script_params();
/// Throws Error{Invalid} when `times_us` isn't a JSON list of non-negative numbers.
Script script_from(const plugin::LoadRequest& request);

/// Spends run `number`'s (0, 1, ...) work, time and memory.
void spend(const Script& script, std::int64_t number, std::int64_t rows);

/// The fault of run `number`; Error, OutOfMemory, Crash and Hang happen here.
Fault fault_of(const Script& script, std::int64_t number);

/// Does what `load_fault` asks for, takes `load_us`, and returns `load_bytes` of touched memory.
std::vector<std::byte> act_load(const plugin::LoadRequest& request);

/// Threads that compute without pause while the object lives: an engine that ignores its budget.
class Spinners {
 public:
  explicit Spinners(std::int64_t count);
  ~Spinners();
  Spinners(const Spinners&) = delete;
  Spinners& operator=(const Spinners&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace inferometer::null
