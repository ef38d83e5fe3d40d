// SPDX-License-Identifier: Apache-2.0
// A laboratory without machine: scripted engines, a clock that only blocks move. For tests.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/cpu.hpp"
#include "campaign/lab.hpp"
#include "measure/fake_queue.hpp"

namespace inferometer::campaign {

/// How a fake engine behaves. The model computes y = 2 x, rows of four floats.
struct Script {
  std::int64_t row_ns = 1'000'000;
  double first_batch = 1;  ///< how much longer the first batch after waking takes
  bool available = true;
  bool wrong = false;           ///< an answer that isn't right
  bool stale = false;           ///< every row gets the answer of the first
  std::int64_t leak_bytes = 0;  ///< a batch
  int busy_tasks = 2;           ///< that share the CPU time of blocks
  bool nan = false;             ///< every row but the first is NaN
  bool keeps_artifacts = false;
  bool profiles = false;          ///< has the param profiling, and rows with it
  std::int64_t own_batch = 1;     ///< without param batch_size
  std::optional<Error> at_load;   ///< thrown by load
  std::optional<Error> at_block;  ///< thrown by block number `block_number`
  int block_number = 0;
  std::optional<Error> at_open_loop;
  std::size_t stall_every =
      0;  ///< in an open loop: so many requests, and one takes 50 times as long
};

class FakeLab : public Lab {
 public:
  std::map<std::string, Script> scripts;
  std::function<void(const std::string& event)> on_event;
  std::vector<std::string> events;  ///< "load null", "block null", "canary"
  std::vector<std::string> order = {"reference", "slow", "fast"};
  std::int64_t clock_ns = 0;
  double parent_cpus = 0;                    ///< that our own process keeps busy
  std::int64_t canary_takes_ns = 0;          ///< of the clock
  std::int64_t canary_burst_ns = 2'000'000;  ///< what each burst says that it took
  Json machine_state = Json::object();
  int running = 0;  ///< workers awake at this moment
  int alive = 0;
  std::vector<int> canary_cpus;  ///< of the last canary
  std::int64_t canary_ns = 0;    ///< what it aimed at
  std::string machine_name = "fake";
  std::string build = "build 1 ";   ///< of the plugins
  std::set<std::string> artifacts;  ///< cache folders that hold one
  std::vector<std::filesystem::path> dropped;
  double still_cached = 0;  ///< share of what was dropped
  double idle_w = 20, busy_w = 70;
  double energy_coverage = 1;
  std::int64_t energy_lag_ns = 0;
  std::optional<Error> no_energy;  ///< thrown instead of giving a meter
  double used_j = 0;               ///< so far
  std::filesystem::path power_log;

  void pass_time(std::int64_t ns, double watts) {
    clock_ns += ns;
    used_j += watts * static_cast<double>(ns) / 1e9;
  }
  void tell(const std::string& event) {
    events.push_back(event);
    if (on_event) on_event(event);
  }
  std::int64_t count(const std::string& event) const { return std::ranges::count(events, event); }

  std::vector<EngineStatus> engines() override {
    std::vector<EngineStatus> all;
    for (const auto& name : order) {
      EngineStatus status;
      status.name = name;
      status.available = scripts[name].available;
      status.version = "1.0";
      status.library_hash = "hash of " + name;
      if (scripts[name].profiles)
        status.params = {{.name = "profiling", .type = ParamSpec::Type::Bool, .fallback = false}};
      if (!status.available) status.reason = "looked in /nowhere";
      all.push_back(std::move(status));
    }
    return all;
  }
  std::string plugin_hash(const std::string& engine) override { return build + engine; }
  ModelFacts model(const std::filesystem::path& path) override {
    if (path.string().find("absent") != std::string::npos)
      throw Error(Status::Invalid, path.string() + ": no such file");
    return {.hash = "model " + path.string(),
            .files = {path},
            .inputs = ports("x"),
            .outputs = ports("y"),
            .macs = 1000,
            .parameters = 10,
            .activation_bytes = 100};
  }
  static std::vector<Port> ports(const std::string& name) {
    return {{name, DType::F32, {{-1, "N"}, {4, ""}}, 0}};
  }
  std::unique_ptr<CellWorker> worker(const measure::Cell& cell) override;
  Tensor shared(DType dtype, const Shape& shape) override { return {dtype, shape}; }
  measure::CachedBytes drop_from_page_cache(std::span<const std::filesystem::path> files) override {
    tell("drop");
    dropped.assign(files.begin(), files.end());
    return {1000, static_cast<std::int64_t>(1000 * still_cached)};
  }
  std::vector<int> cpus(const Params& params) override {
    const auto list = params.find("cpus");
    return list == params.end() ? std::vector{0, 1} : parse_cpu_list(to_string(list->second));
  }
  std::optional<measure::CanaryReading> canary(const std::vector<int>& cpus,
                                               std::int64_t aim_ns) override {
    tell("canary");
    canary_cpus = cpus;
    canary_ns = aim_ns;
    clock_ns += canary_takes_ns;
    return measure::CanaryReading{canary_burst_ns, canary_burst_ns};
  }
  Peaks peaks(std::int64_t threads, DType dtype) override {
    if (dtype == DType::F16) return {std::nullopt, 1e9, "this CPU has no multiply-add of f16"};
    return {1e9 * static_cast<double>(threads), 1e9, "", 0.01, 0.02, "fake"};
  }
  double memory_bytes = 8e9;
  double free_bytes() override { return memory_bytes; }
  std::unique_ptr<measure::EnergyMeter> energy_meter(const std::filesystem::path& log) override;
  void rest(std::int64_t duration_ns, std::stop_token stop) override {
    tell("rest");
    if (!stop.stop_requested()) pass_time(duration_ns, running > 0 ? busy_w : idle_w);
  }
  Json machine() override {
    return {{"cpu", {{"model", machine_name}}},
            {"caches", Json::array()},
            {"numa", "1 node"},
            {"cgroup", Json::object()},
            {"memory", {{"total_bytes", 1 << 30}}}};
  }
  Json state() override {
    tell("state");
    return machine_state;
  }
  std::int64_t now_ns() override { return clock_ns; }
  std::int64_t cpu_ns() override {
    return static_cast<std::int64_t>(parent_cpus * static_cast<double>(clock_ns));
  }
  std::string utc() override { return "2026-01-31T12:00:00Z"; }
};

class FakeWorker : public CellWorker {
 public:
  FakeWorker(FakeLab& lab, measure::Cell cell)
      : lab_(lab), cell_(std::move(cell)), script_(lab.scripts[cell_.engine]) {
    ++lab_.alive;
    ++lab_.running;
  }
  ~FakeWorker() override {
    --lab_.alive;
    if (!parked_) --lab_.running;
  }
  process::LoadReport load() override {
    lab_.tell("load " + cell_.engine);
    if (script_.at_load) throw *script_.at_load;
    lab_.clock_ns += 1'000'000;
    loaded_ = true;
    Info info;
    info.engine = cell_.engine;
    info.engine_version = "1.0";
    info.model_hash = "model";
    if (const auto cache = cell_.params.find("cache_dir");
        script_.keeps_artifacts && cache != cell_.params.end())
      info.from_artifact = !lab_.artifacts.insert(to_string(cache->second)).second;
    info.inputs = FakeLab::ports("x");
    info.outputs = FakeLab::ports("y");
    info.requested = cell_.params;
    info.requested.insert({"in_flight", 1});
    info.requested.insert({"threads", 2});
    info.requested.insert({"batch_size", script_.own_batch});
    info.load_phases_ns = {{"compile", 600'000}};
    return {info, 1'000'000};
  }
  std::vector<Tensor> predict(std::span<const View> inputs) override {
    Tensor y(DType::F32, inputs[0].shape);
    const auto x = inputs[0].as<const float>();
    const auto out = y.as<float>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = (script_.wrong ? 3.0F : 2.0F) * x[script_.stale ? i % 4 : i];
    if (script_.nan && out.size() > 4) std::fill(out.begin() + 4, out.end(), std::nanf(""));
    return {y};
  }
  void prepare(std::span<const Tensor> inputs) override {
    inputs_.assign(inputs.begin(), inputs.end());
  }
  process::BlockReport block(std::int64_t batches, process::Poison) override {
    lab_.tell("block " + cell_.engine);
    if (script_.at_block && ++blocks_ >= script_.block_number) throw *script_.at_block;
    const auto rows = inputs_.at(0).shape()[0];
    process::BlockReport report;
    report.batches = batches;
    leaked_ += batches * script_.leak_bytes;
    report.samples = batches * rows;
    for (std::int64_t i = 0; i < batches; ++i)
      report.timings_ns.push_back(script_.row_ns * rows + i % 3);
    if (std::exchange(woken_, false))
      report.timings_ns[0] = static_cast<std::int64_t>(script_.first_batch *
                                                       static_cast<double>(report.timings_ns[0]));
    for (const auto timing : report.timings_ns) report.wall_ns += timing;
    report.cpu_ns = 2 * report.wall_ns;
    cpu_ns_ += report.cpu_ns;
    lab_.pass_time(report.wall_ns, lab_.busy_w);
    return report;
  }
  /// One executor, as a queue; the report ends where it is given up.
  process::OpenLoopReport open_loop(std::span<const std::int64_t> arrivals_ns,
                                    const process::GiveUp& give_up,
                                    const std::stop_token& stop) override {
    lab_.tell("open " + cell_.engine);
    if (script_.at_open_loop) throw *script_.at_open_loop;
    const auto service_ns = script_.row_ns * inputs_.at(0).shape()[0];
    const auto stalls = [&](std::size_t i) {
      return script_.stall_every > 0 && i % script_.stall_every == script_.stall_every - 1;
    };
    const auto served = measure::serve(
        arrivals_ns, 1, [&](std::size_t i) { return stalls(i) ? 50 * service_ns : service_ns; });
    process::OpenLoopReport report;
    std::uint64_t over = 0;
    for (std::size_t i = 0;
         i < served.size() && over <= give_up.most_over && !stop.stop_requested(); ++i) {
      report.served.push_back({served[i].start_ns, served[i].end_ns});
      if (served[i].end_ns - arrivals_ns[i] > give_up.latency_ns) ++over;
    }
    if (!report.served.empty()) lab_.clock_ns += report.served.back().end_ns;
    return report;
  }
  std::vector<Tensor> outputs() const override {
    const std::vector<View> views(inputs_.begin(), inputs_.end());
    return const_cast<FakeWorker*>(this)->predict(views);
  }
  std::string profile() override {
    if (!cell_.params.contains("profiling")) return "";
    return fmt::format(R"([{{"node":"b","kernel":"K","precision":"fp32","ns":{}}},)"
                       R"({{"node":"a","kernel":"K","precision":"fp32","ns":7}}])",
                       100 + profiles_++ % 3);
  }
  std::vector<measure::TaskTime> tasks() const override {
    std::vector<measure::TaskTime> tasks;
    for (int task = 0; task < script_.busy_tasks; ++task)
      tasks.push_back({task + 1, "worker", cpu_ns_ / script_.busy_tasks});
    return tasks;
  }
  void park() override {
    if (!std::exchange(parked_, true)) --lab_.running;
  }
  void wake() override {
    if (!std::exchange(parked_, false)) return;
    ++lab_.running;
    woken_ = true;
  }
  void open_library() override { lab_.tell("library " + cell_.engine); }
  void unload() override { lab_.tell("unload " + cell_.engine); }
  std::set<std::filesystem::path> mapped_files() const override {
    if (!loaded_) return {"libworker"};
    return {"libworker", "lib" + cell_.engine};
  }
  void begin_phase() override {}
  void end_phase(measure::MemoryPhase phase) override {
    const auto rows = inputs_.empty() ? 0 : inputs_[0].shape()[0];
    values_["memory_" + std::string(measure::to_string(phase)) + "_bytes"] = 1 << 20;
    values_["memory_run_peak_bytes"] = (1 << 20) + 1000 * rows;
  }
  Json memory() const override { return values_; }
  std::int64_t anonymous_bytes() const override { return leaked_; }

 private:
  FakeLab& lab_;
  measure::Cell cell_;
  Script script_;
  std::vector<Tensor> inputs_;
  Json values_ = Json::object();
  std::int64_t leaked_ = 0, cpu_ns_ = 0;
  int blocks_ = 0, profiles_ = 0;
  bool loaded_ = false, parked_ = false, woken_ = false;
};

class FakeMeter : public measure::EnergyMeter {
 public:
  explicit FakeMeter(FakeLab& lab) : lab_(lab) {}
  void start() override {
    start_ns_ = lab_.clock_ns;
    start_j_ = lab_.used_j;
  }
  void stop() override {
    measure::EnergyWindow window{
        .wall_ns = lab_.clock_ns - start_ns_, .coverage = lab_.energy_coverage, .method = "fake"};
    if (window.coverage < measure::kLeastCoverage)
      window.why = "the log has a gap";
    else
      window.joules["machine"] = lab_.used_j - start_j_;
    windows_.push_back(std::move(window));
  }
  std::int64_t lag_ns() const override { return lab_.energy_lag_ns; }
  std::vector<measure::EnergyWindow> windows() override { return windows_; }

 private:
  FakeLab& lab_;
  std::int64_t start_ns_ = 0;
  double start_j_ = 0;
  std::vector<measure::EnergyWindow> windows_;
};

inline std::unique_ptr<measure::EnergyMeter> FakeLab::energy_meter(
    const std::filesystem::path& log) {
  tell("meter");
  power_log = log;
  if (no_energy) throw *no_energy;
  return std::make_unique<FakeMeter>(*this);
}

inline std::unique_ptr<CellWorker> FakeLab::worker(const measure::Cell& cell) {
  return std::make_unique<FakeWorker>(*this, cell);
}

}  // namespace inferometer::campaign
