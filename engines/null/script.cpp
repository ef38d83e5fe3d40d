// SPDX-License-Identifier: Apache-2.0
#include "script.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "base/json.hpp"

namespace inferometer::null {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array<std::pair<const char*, Fault>, 10> kFaults{
    {{"none", Fault::None},
     {"wrong", Fault::Wrong},
     {"nan", Fault::Nan},
     {"swapped", Fault::Swapped},
     {"stale", Fault::Stale},
     {"lost", Fault::Lost},
     {"error", Fault::Error},
     {"out_of_memory", Fault::OutOfMemory},
     {"crash", Fault::Crash},
     {"hang", Fault::Hang}}};

Fault parse_fault(const std::string& word) {
  const auto found = std::find_if(kFaults.begin(), kFaults.end(),
                                  [&](const auto& row) { return word == row.first; });
  return found->second;  // the host has checked the word against `choices`
}

std::vector<double> parse_times(const std::string& text) {
  if (text.empty()) return {};
  const Json list = parse_json(text, "times_us");
  const bool numbers = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& v) {
                         return v.is_number() && v.get<double>() >= 0;
                       });
  if (!numbers || list.empty())
    throw Error(
        Status::Invalid,
        fmt::format("times_us={} is not a JSON list of microseconds such as [100,250]", text),
        {{"param", "times_us"}});
  return list.get<std::vector<double>>();
}

// A dependent chain, so that neither width nor out-of-order execution shortens it, and whose
// result the compiler can't drop.
void work(double kfma) {
  volatile double sink = 1.0;
  double value = sink;
  const auto steps = static_cast<std::int64_t>(kfma * 1000);
  for (std::int64_t i = 0; i < steps; ++i) value = value * 0.999999 + 1e-6;
  sink = value;
}

void wait(double us, bool sleeps) {
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double, std::micro>(us));
  if (sleeps) std::this_thread::sleep_until(end);
  while (Clock::now() < end) {
  }
}

std::vector<std::byte> touched(std::int64_t bytes) {
  return std::vector<std::byte>(static_cast<std::size_t>(bytes), std::byte{1});
}

void hold_and_free(std::int64_t bytes) {
  const auto memory = touched(bytes);
  const void* volatile used = memory.data();  // or the compiler may drop the allocation
  static_cast<void>(used);
}

// Kept reachable, so that a leak checker that looks at our own leaks stays silent about these.
void leak(std::int64_t bytes) {
  static std::mutex mutex;
  static auto* const lost = new std::vector<std::vector<std::byte>>;
  const std::lock_guard lock(mutex);
  lost->push_back(touched(bytes));
}

[[noreturn]] void crash() {
  // Sanitizers and embedders install handlers that would turn the signal into an ordinary exit.
  std::signal(SIGSEGV, SIG_DFL);
  std::raise(SIGSEGV);
  std::abort();
}

[[noreturn]] void hang() {
  for (;;) pause();
}

double stretch(const Script& script, std::int64_t number) {
  const double drift = std::max(0.0, 1.0 + script.drift * static_cast<double>(number));
  return number < script.warm_up_runs ? drift * script.warm_up_factor : drift;
}

ParamSpec integer_spec(const char* name, std::int64_t fallback, const char* help,
                       double maximum = 1e12) {
  return {.name = name,
          .type = ParamSpec::Type::Integer,
          .fallback = fallback,
          .minimum = 0,
          .maximum = maximum,
          .help = help};
}
ParamSpec real_spec(const char* name, double fallback, double minimum, double maximum,
                    const char* help) {
  return {.name = name,
          .type = ParamSpec::Type::Real,
          .fallback = fallback,
          .minimum = minimum,
          .maximum = maximum,
          .help = help};
}
ParamSpec flag_spec(const char* name, const char* help) {
  return {.name = name, .type = ParamSpec::Type::Bool, .fallback = false, .help = help};
}
ParamSpec choice_spec(const char* name, std::vector<std::string> choices, const char* help) {
  return {.name = name,
          .type = ParamSpec::Type::Text,
          .fallback = choices.front(),
          .choices = choices,
          .help = help};
}

}  // namespace

std::vector<ParamSpec> script_params() {
  std::vector<std::string> faults;
  for (const auto& [word, fault] : kFaults) faults.emplace_back(word);
  return {
      integer_spec("batch_work_kfma", 0, "thousands of dependent multiply-adds for every batch",
                   1e9),
      integer_spec("row_work_kfma", 0, "thousands of dependent multiply-adds for every row", 1e9),
      {.name = "times_us", .help = "JSON list of microseconds; run n takes the one at n mod size"},
      flag_spec("sleeps", "times_us are spent asleep instead of busy"),
      real_spec("drift", 0, -1, 1e3, "run n takes 1 + drift * n times as long"),
      integer_spec("warm_up_runs", 0, "so many first runs take warm_up_factor times as long"),
      real_spec("warm_up_factor", 1, 0, 1e6, "how much longer the warm-up runs take"),
      integer_spec("leak_bytes", 0, "bytes lost in every run"),
      integer_spec("peak_bytes", 0, "bytes allocated, touched and freed in every run"),
      integer_spec("load_bytes", 0, "bytes that the loaded model holds"),
      integer_spec("load_us", 0, "busy microseconds that load takes"),
      integer_spec("spin_threads", 0,
                   "threads that compute without pause while the model is loaded", 1024),
      flag_spec("fixed_batch", "takes whole batches only, so that the host pads the last one"),
      choice_spec("fill", {"rows", "none"},
                  "rows: outputs depend on their input row; none: outputs are not written"),
      choice_spec("fault", faults, "what goes wrong in a run"),
      {.name = "fault_at",
       .type = ParamSpec::Type::Integer,
       .fallback = 1,
       .minimum = 1,
       .help = "the first run with the fault, counted over all contexts from 1"},
      choice_spec("load_fault", {"none", "error", "out_of_memory", "crash", "hang"},
                  "what goes wrong in load"),
  };
}

Script script_from(const plugin::LoadRequest& request) {
  Script script{.batch_work_kfma = request.integer("batch_work_kfma"),
                .row_work_kfma = request.integer("row_work_kfma"),
                .times_us = parse_times(request.text("times_us")),
                .sleeps = request.flag("sleeps"),
                .drift = request.real("drift"),
                .warm_up_runs = request.integer("warm_up_runs"),
                .warm_up_factor = request.real("warm_up_factor"),
                .leak_bytes = request.integer("leak_bytes"),
                .peak_bytes = request.integer("peak_bytes"),
                .fault = parse_fault(request.text("fault")),
                .fault_at = request.integer("fault_at")};
  script.quiet =
      script.batch_work_kfma + script.row_work_kfma + script.leak_bytes + script.peak_bytes == 0 &&
      script.times_us.empty() && script.fault == Fault::None;
  return script;
}

void spend(const Script& script, std::int64_t number, std::int64_t rows) {
  const double factor = stretch(script, number);
  work(factor * static_cast<double>(script.batch_work_kfma + script.row_work_kfma * rows));
  if (!script.times_us.empty()) {
    const auto step = static_cast<std::size_t>(number) % script.times_us.size();
    wait(factor * script.times_us[step], script.sleeps);
  }
  if (script.leak_bytes > 0) leak(script.leak_bytes);
  if (script.peak_bytes > 0) hold_and_free(script.peak_bytes);
}

Fault fault_of(const Script& script, std::int64_t number) {
  const std::int64_t run = number + 1;
  const bool first = run == script.fault_at;
  switch (script.fault) {
    case Fault::Error:
      if (first) throw Error(Status::PredictFailed, fmt::format("run {} fails as asked for", run));
      return Fault::None;
    case Fault::OutOfMemory:
      if (first) throw std::bad_alloc();
      return Fault::None;
    case Fault::Crash:
      if (first) crash();
      return Fault::None;
    case Fault::Hang:
      if (first) hang();
      return Fault::None;
    default:
      return run >= script.fault_at ? script.fault : Fault::None;
  }
}

std::vector<std::byte> act_load(const plugin::LoadRequest& request) {
  const auto& fault = request.text("load_fault");
  if (fault == "error")
    throw Error(Status::LoadFailed, "load fails as asked for (load_fault=error)");
  if (fault == "out_of_memory") throw std::bad_alloc();
  if (fault == "crash") crash();
  if (fault == "hang") hang();
  wait(static_cast<double>(request.integer("load_us")), false);
  return touched(request.integer("load_bytes"));
}

Spinners::Spinners(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    threads_.emplace_back([this] {
      while (!stop_.load(std::memory_order_relaxed)) work(10);
    });
}

Spinners::~Spinners() {
  stop_ = true;
  for (auto& thread : threads_) thread.join();
}

}  // namespace inferometer::null
