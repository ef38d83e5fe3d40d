// SPDX-License-Identifier: Apache-2.0
#include "campaign/lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <map>
#include <mutex>

#include "base/cpu.hpp"
#include "base/text.hpp"
#include "core/hash.hpp"
#include "core/unified.hpp"
#include "core/wall.hpp"
#include "graph/onnx.hpp"
#include "graph/passes.hpp"
#include "measure/environment.hpp"
#include "measure/memory.hpp"
#include "measure/memory_cgroup.hpp"
#include "measure/roofline.hpp"
#include "process/region.hpp"
#include "process/remote.hpp"
#include "process/worker.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::chrono::seconds kProbeLimit{60};

Params load_params(const measure::Cell& cell) {
  auto params = cell.params;
  params.insert_or_assign("engine", cell.engine);
  return params;
}

// The worker may run on the chosen CPUs alone: a longer list would be refused there.
Params on_cpus(Params params, const std::vector<int>& cpus) {
  if (params.contains("cpus")) params.insert_or_assign("cpus", cpu_list_text(cpus));
  return params;
}

// The first of those that are allowed. Chosen here and not by each worker: core hands CPUs out in
// turn, so that models loaded beside each other don't meet; ours take turns on the same ones.
std::vector<int> cpus_for(const Params& params) {
  auto budget = core::cpu_budget(params);
  budget.allowed.resize(static_cast<std::size_t>(budget.threads));
  return std::move(budget.allowed);
}

process::WorkerOptions options_for(std::vector<int> cpus, std::chrono::milliseconds call_limit) {
  process::WorkerOptions options;
  options.cpus = std::move(cpus);
  options.limits.load = call_limit;
  options.limits.call = call_limit;
  return options;
}

// A worker's memory as its control group counts it, where one can be made.
class WorkerGroup {
 public:
  explicit WorkerGroup(pid_t worker) {
    try {
      group_ = std::make_unique<measure::MemoryCgroup>();
      group_->add(worker);
    } catch (const Error& error) {
      set_missing(error);
    }
  }
  void note_peak() {
    if (!values_.empty()) return;
    try {
      values_[kKey] = group_->peak_bytes();
    } catch (const Error& error) {
      set_missing(error);
    }
  }
  const Json& values() const { return values_; }

 private:
  static constexpr const char* kKey = "memory_cgroup_peak_bytes";
  void set_missing(const Error& error) {
    values_ = {{kKey, nullptr}, {std::string(kKey) + "_why", error.what()}};
  }
  std::unique_ptr<measure::MemoryCgroup> group_;
  Json values_ = Json::object();
};

class ProcessWorker : public CellWorker {
 public:
  ProcessWorker(measure::Cell cell, std::chrono::milliseconds call_limit)
      : cell_(std::move(cell)),
        cpus_(cpus_for(cell_.params)),
        params_(on_cpus(load_params(cell_), cpus_)),
        worker_(options_for(cpus_, call_limit)),
        recorder_(worker_.pid()) {}

  process::LoadReport load() override { return worker_.load(cell_.model, params_); }
  std::vector<Tensor> predict(std::span<const View> inputs) override {
    return worker_.predict(inputs);
  }
  void prepare(std::span<const Tensor> inputs) override { worker_.prepare(inputs); }
  process::BlockReport block(std::int64_t batches, process::Poison poison) override {
    return worker_.run_block(batches, poison);
  }
  process::OpenLoopReport open_loop(std::span<const std::int64_t> arrivals_ns,
                                    const process::GiveUp& give_up,
                                    const std::stop_token& stop) override {
    return worker_.run_open(arrivals_ns, give_up, stop);
  }
  std::vector<Tensor> outputs() const override { return worker_.block_outputs(); }
  std::string profile() override { return worker_.profile(); }
  std::vector<measure::TaskTime> tasks() const override {
    return measure::read_tasks(worker_.process_tree());
  }
  void park() override { worker_.park(); }
  void wake() override { worker_.wake(); }
  void open_library() override {
    const auto library = params_.find("library");
    worker_.probe(cell_.engine, library == params_.end() ? "" : to_string(library->second));
  }
  void unload() override { worker_.unload(); }
  std::set<std::filesystem::path> mapped_files() const override {
    return measure::mapped_files(worker_.pid());
  }
  void begin_phase() override {
    if (!group_) group_.emplace(worker_.pid());
    recorder_.begin();
  }
  void end_phase(measure::MemoryPhase phase) override {
    recorder_.end(phase);
    if (phase == measure::MemoryPhase::Steady) group_->note_peak();
  }
  std::int64_t anonymous_bytes() const override {
    return measure::read_memory(measure::process_tree(worker_.pid()), measure::Detail::Status)
        .anon_bytes;
  }
  Json memory() const override {
    auto values = recorder_.values();
    if (group_) values.update(group_->values());
    return values;
  }

 private:
  measure::Cell cell_;
  std::vector<int> cpus_;
  Params params_;
  std::optional<WorkerGroup> group_;  ///< outlives the worker, which it holds
  process::Worker worker_;
  measure::PhaseRecorder recorder_;
};

// A worker without a model that does the canary's work on the cells' CPUs.
class CanaryWorker {
 public:
  explicit CanaryWorker(const std::vector<int>& cpus)
      : worker_(options_for(cpus, kCallLimit)),
        work_(measure::canary_work(worker_.canary(Json::object()))) {}
  measure::CanaryReading read(std::int64_t aim_ns) {
    const auto request = measure::to_json(measure::scaled(work_, aim_ns));
    return measure::canary_reading(worker_.canary(request));
  }

 private:
  process::Worker worker_;
  measure::CanaryWork work_;
};

// Until opset 13 a softmax ran over all axes from its own on.
std::optional<measure::Softmax> softmax_of(const graph::Graph& graph, graph::ValueId output) {
  const auto makes = [&](const graph::Node& node) {
    return node.op == "Softmax" && node.domain.empty() && node.outputs[0] == output;
  };
  const auto node = std::ranges::find_if(graph.nodes, makes);
  const auto& shape = graph.value(output).shape;
  if (node == graph.nodes.end() || !shape) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(shape->size());
  const bool flattens = graph.opset < 13;
  const auto axis = graph::int_attribute(*node, "axis", flattens ? 1 : -1);
  const auto first = static_cast<int>(axis < 0 ? axis + rank : axis);
  return measure::Softmax{first, flattens ? static_cast<int>(rank) : first + 1};
}

void read_graph(const std::filesystem::path& path, ModelFacts& facts) {
  auto graph = graph::read_onnx(path);
  graph::infer_shapes(graph);
  const auto signature = graph::signature_of(graph);
  facts.inputs = signature.inputs;
  facts.outputs = signature.outputs;
  facts.parameters = graph::count_parameters(graph);
  for (const auto id : graph.outputs) facts.softmaxes.push_back(softmax_of(graph, id));
  // Last: they throw where shapes depend on data.
  const auto rows = std::max<std::int64_t>(1, signature.batch_size);
  facts.macs = graph::count_macs(graph) / rows;
  facts.activation_bytes = graph::peak_activation_bytes(graph) / rows;
}

class ProcessLab : public Lab {
 public:
  explicit ProcessLab(std::chrono::milliseconds call_limit) : call_limit_(call_limit) {}
  std::vector<EngineStatus> engines() override {
    if (!engines_.empty()) return engines_;
    std::vector<std::string> names;
    for (const auto& plugin : core::plugins()) names.push_back(plugin.name);
    engines_ = process::probe_engines(names, kProbeLimit);
    // Workers are told these hashes: reading a library again would warm the page cache of a cold
    // load.
    for (const auto& engine : engines_)
      if (engine.available && !engine.library.empty()) core::file_hash(engine.library);
    return engines_;
  }
  std::string plugin_hash(const std::string& engine) override {
    for (const auto& plugin : core::plugins())
      if (plugin.name == engine && !plugin.path.empty()) return core::file_hash(plugin.path);
    return "";
  }
  ModelFacts model(const std::filesystem::path& path) override {
    auto hash = core::model_hash(path);
    ModelFacts facts{.hash = std::move(hash.hex), .files = std::move(hash.files)};
    try {
      if (path.extension() == ".onnx") read_graph(path, facts);
    } catch (const Error& error) {
      facts.why = error.what();  // an engine may know operators that we don't
    }
    return facts;
  }
  std::unique_ptr<CellWorker> worker(const measure::Cell& cell) override {
    return std::make_unique<ProcessWorker>(cell, call_limit_);
  }
  measure::CachedBytes drop_from_page_cache(std::span<const std::filesystem::path> files) override {
    return measure::drop_from_page_cache(files);
  }
  Tensor shared(DType dtype, const Shape& shape) override {
    return process::shared_tensor(dtype, shape);
  }
  std::vector<int> cpus(const Params& params) override { return cpus_for(params); }
  std::optional<measure::CanaryReading> canary(const std::vector<int>& cpus,
                                               std::int64_t aim_ns) override {
    try {
      auto& canary = canaries_[cpus];
      if (!canary) canary = std::make_unique<CanaryWorker>(cpus);
      return canary->read(aim_ns);
    } catch (const Error&) {
      canaries_.erase(cpus);  // another may live longer; outcomes say that none ran
      return std::nullopt;
    }
  }
  Peaks peaks(std::int64_t threads, DType dtype) override {
    const auto found = peaks_.find({threads, dtype});
    if (found != peaks_.end()) return found->second;
    return peaks_.emplace(std::pair(threads, dtype), measured(threads, dtype)).first->second;
  }
  double free_bytes() override { return static_cast<double>(measure::free_memory_bytes()); }
  std::unique_ptr<measure::EnergyMeter> energy_meter(
      const std::filesystem::path& power_log) override {
    return measure::make_energy_meter({.power_log = power_log});
  }
  void rest(std::int64_t duration_ns, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, std::move(stop), std::chrono::nanoseconds(duration_ns),
                     [] { return false; });
  }
  Json machine() override { return measure::machine(); }
  Json state() override { return measure::state(); }
  std::int64_t now_ns() override {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  }
  std::int64_t cpu_ns() override {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
  std::string utc() override {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32] = {};
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
  }

 private:
  Peaks measured(std::int64_t threads, DType dtype) {
    const measure::PeakOptions options{.threads = static_cast<int>(threads), .dtype = dtype};
    Peaks peaks;
    try {
      if (!bandwidths_.contains(threads))
        bandwidths_.emplace(threads, measure::measure_bandwidth(options));
      peaks.bytes_per_s = bandwidths_.at(threads).per_s;
      peaks.bytes_spread = bandwidths_.at(threads).spread;
      const auto flops = measure::measure_peak_flops(options);
      peaks.flops_per_s = flops.per_s;
      peaks.flops_spread = flops.spread;
      peaks.isa = flops.isa;
    } catch (const Error& error) {
      peaks.why = error.what();
    }
    return peaks;
  }

  std::chrono::milliseconds call_limit_;
  std::vector<EngineStatus> engines_;
  std::map<std::vector<int>, std::unique_ptr<CanaryWorker>> canaries_;
  std::map<std::int64_t, measure::Peak> bandwidths_;  ///< by threads
  std::map<std::pair<std::int64_t, DType>, Peaks> peaks_;
};

}  // namespace

const EngineStatus& engine_named(const std::vector<EngineStatus>& engines,
                                 const std::string& name) {
  std::vector<std::string> names;
  for (const auto& engine : engines) {
    if (engine.name == name) return engine;
    names.push_back(engine.name);
  }
  const auto near = nearest(name, names);
  throw Error(Status::Invalid,
              fmt::format("there is no engine '{}'{}; engines: {}", printable(name),
                          near.empty() ? "" : fmt::format(", did you mean {}?", near), join(names)),
              {{"engine", name}, {"nearest", near}});
}

std::unique_ptr<Lab> make_lab(std::chrono::milliseconds call_limit) {
  return std::make_unique<ProcessLab>(call_limit);
}

}  // namespace inferometer::campaign
