// SPDX-License-Identifier: Apache-2.0
// load in this process: choose the engine, settle params and shapes, load through the wall.
#include <fmt/format.h>

#include <algorithm>

#include "base/cpu.hpp"
#include "base/text.hpp"
#include "core/hash.hpp"
#include "core/model_file.hpp"
#include "core/pipeline.hpp"
#include "core/ports.hpp"
#include "core/process_scope.hpp"
#include "core/runner.hpp"
#include "core/settings.hpp"
#include "core/unified.hpp"
#include "core/wall.hpp"

namespace inferometer::core {
namespace {

namespace fs = std::filesystem;

class LocalRunner : public Runner {
 public:
  LocalRunner(Info info, std::shared_ptr<ArtifactCache> cache, std::unique_ptr<WallModel> model,
              PipelineOptions options)
      : info_(std::move(info)),
        cache_(std::move(cache)),
        model_(std::move(model)),
        pipeline_(*model_, info_.inputs, info_.outputs, std::move(options)) {}

  const Info& info() const noexcept override { return info_; }

  std::vector<Tensor> predict(std::span<const View> inputs, std::stop_token stop) override {
    const std::int64_t rows = check_inputs(info_.inputs, inputs);
    std::vector<Tensor> tensors;
    std::vector<View> views;
    bool all_known = true;
    for (const Port& port : info_.outputs) {
      const auto shape = output_shape(port, info_.inputs, inputs, rows);
      all_known = all_known && shape.has_value();
      tensors.push_back(shape ? Tensor(port.dtype, *shape) : Tensor());
      views.push_back(shape ? tensors.back().view()
                            : View(static_cast<void*>(nullptr), port.dtype, Shape{}));
    }
    if (!all_known) {
      // Every output stays the engine's: one way of handing them over is enough.
      for (View& view : views) view.data = nullptr;
      return pipeline_.predict_unshaped(inputs, views, rows, stop);
    }
    pipeline_.predict(inputs, views, rows, stop);
    return tensors;
  }

  void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                    std::stop_token stop) override {
    const std::int64_t rows = check_inputs(info_.inputs, inputs);
    check_outputs(info_.outputs, outputs, rows);
    pipeline_.predict(inputs, outputs, rows, stop);
  }

  Tensor allocate(const Port& port, std::int64_t rows) override {
    const auto shape = output_shape(port, {}, {}, rows);
    if (!shape) {
      throw Error(Status::Invalid, fmt::format("port \"{}\" {} has no fixed size per row",
                                               port.name, to_string(port)));
    }
    return Tensor(port.dtype, *shape);
  }

  std::string explain() override { return model_->explain(); }
  std::string profile() override { return pipeline_.profile(); }

 private:
  Info info_;
  std::shared_ptr<ArtifactCache> cache_;
  std::unique_ptr<WallModel> model_;
  Pipeline pipeline_;
};

// One call of load.
struct Asked {
  const fs::path& path;
  const Params& params;
  const ModelFile& file;
  const std::vector<int>& cpus;  // chosen once, whatever engine it comes to
};

struct Choice {
  const Plugin* plugin;
  ProbeAnswer probe;
  std::string reason;
};

bool takes_format(const EngineStatus& status, const fs::path& path) {
  return std::find(status.formats.begin(), status.formats.end(), path.extension().string()) !=
         status.formats.end();
}

// Why engine=auto passes `plugin` over without loading; empty = worth loading, `choice` is filled.
std::string why_not(const Plugin& plugin, const Asked& asked, Choice& choice) {
  if (plugin.table == nullptr) return plugin.reason;
  choice = {&plugin, probe(plugin, unified_text(asked.params, "library")), {}};
  if (choice.probe.synthetic) return "its outputs are made up; only by name";
  if (!takes_format(choice.probe.status, asked.path))
    return "does not take " + asked.path.extension().string();
  const std::string unknown = unknown_param(asked.params, choice.probe.status.params);
  if (!unknown.empty()) return fmt::format("has no param \"{}\"", printable(unknown));
  // Which operators it takes is not asked: a load tells as much, and asking may cost as much.
  return {};
}

Choice choose_named(const std::vector<Plugin>& engines, const std::string& name,
                    const Asked& asked) {
  const Plugin& plugin = plugin_named(name, engines);
  Choice choice{&plugin, probe(plugin, unified_text(asked.params, "library")), "asked for"};
  if (!takes_format(choice.probe.status, asked.path)) {
    throw Error(Status::Unsupported,
                fmt::format("{} does not take \"{}\" files ({}); it takes {}", name,
                            asked.path.extension().string(), asked.path.string(),
                            join(choice.probe.status.formats)),
                {{"engine", name}, {"path", asked.path.string()}});
  }
  return choice;
}

// Engines have params of their own: a name that one of them knows is no mistake.
void require_known_somewhere(const std::vector<Plugin>& engines, const Params& params) {
  std::vector<ParamSpec> all;
  for (const Plugin& plugin : engines) {
    if (plugin.table == nullptr) continue;
    const std::vector<ParamSpec> own = own_params(plugin);
    all.insert(all.end(), own.begin(), own.end());
  }
  if (!unknown_param(params, all).empty())
    resolve_params(params, all);  // says which, and the nearest
}

void refuse_device(const Choice& choice, const Resolved& resolved) {
  const std::string device = std::get<std::string>(resolved.params.at("device"));
  const auto& devices = choice.probe.status.devices;
  if (std::find(devices.begin(), devices.end(), device) != devices.end()) return;
  throw Error(Status::Unsupported,
              fmt::format("param \"device\" = {}: {} has here: {}", printable(device),
                          choice.plugin->name, join(devices)),
              {{"param", "device"}, {"value", device}});
}

std::shared_ptr<ArtifactCache> open_cache(const Choice& choice, const Resolved& resolved,
                                          const Settings& settings, Info& info) {
  const std::string folder = std::get<std::string>(resolved.params.at("cache_dir"));
  if (folder.empty()) return nullptr;
  const ModelHash hash = model_hash(info.model_path);
  info.model_hash = hash.hex;
  if (!hash.left_out.empty()) {
    info.notes.push_back(
        "cache_dir is not used: external data of this model would not be noticed (" +
        hash.left_out + ")");
    return nullptr;
  }
  return std::make_shared<ArtifactCache>(
      folder, artifact_key(settings, resolved, choice.probe.status, file_hash(choice.plugin->path),
                           info.model_hash));
}

Info start_info(const Choice& choice, const Resolved& resolved, const fs::path& path) {
  Info info;
  info.engine = choice.plugin->name;
  info.engine_choice = choice.reason;
  info.engine_version = choice.probe.status.version;
  info.library = choice.probe.status.library;
  info.library_hash = choice.probe.status.library_hash;
  info.synthetic = choice.probe.synthetic;
  info.model_path = path.string();
  info.requested = resolved.params;
  for (const auto& [symbol, size] : resolved.dims)
    info.requested.insert_or_assign("dim." + symbol, size);
  return info;
}

// An engine that moves its threads elsewhere says so itself.
void add_cpus(Info& info, const std::vector<int>& cpus, bool caller_elsewhere) {
  if (!info.effective.try_emplace("cpus", cpu_list_text(cpus)).second) return;
  info.proof.try_emplace("cpus", "affinity of the loading thread, which the engine's inherit");
  if (caller_elsewhere)
    info.notes.emplace_back(
        "a thread that calls predict computes on its own CPUs; give cpus to move it meanwhile");
}

std::shared_ptr<Runner> load_with(const Choice& choice, const Asked& asked) {
  const Resolved resolved = resolve_params(asked.params, choice.probe.status.params);
  refuse_device(choice, resolved);
  const Settings settings = settle(asked.path, resolved, asked.file);
  Info info = start_info(choice, resolved, asked.path);
  const auto cache = open_cache(choice, resolved, settings, info);
  // Last before the engine is called. A load that fails later keeps its claims: the engine may have
  // latched the values first.
  claim_process_scope(*choice.plugin, choice.probe.status, resolved);
  const bool bind_caller = asked.params.contains("cpus");
  const bool caller_elsewhere = !bind_caller && affinity() != asked.cpus;
  // Engines start their pools while loading: what they inherit is the budget.
  const AffinityScope scope(asked.cpus);
  auto model = std::make_unique<WallModel>(
      *choice.plugin,
      WallRequest{.path = asked.path, .settings = settings.json.dump(), .cache = cache.get()});
  add_engine_info(info, model->info(), asked.file, settings);
  add_cpus(info, asked.cpus, caller_elsewhere);
  PipelineOptions options{.batch_size = settings.batch_size,
                          .streams = resolved.streams,
                          .in_flight = resolved.in_flight,
                          .dynamic_batch = info.dynamic_batch,
                          .cpus = asked.cpus,
                          .bind_caller = bind_caller};
  return std::make_shared<LocalRunner>(std::move(info), cache, std::move(model),
                                       std::move(options));
}

std::shared_ptr<Runner> load_auto(const std::vector<Plugin>& engines, const Asked& asked) {
  require_known_somewhere(engines, asked.params);
  std::string passed_over;
  for (const Plugin& plugin : engines) {
    std::string why;
    try {
      Choice choice{};
      why = why_not(plugin, asked, choice);
      if (why.empty()) {
        choice.reason =
            "the first engine of the documented order that is available and accepts the model" +
            (passed_over.empty() ? std::string() : "; passed over:" + passed_over);
        return load_with(choice, asked);
      }
    } catch (const Error& error) {
      // Whatever else it is (the caller's params or file, memory), another engine won't mend it.
      if (error.code() != Status::Unavailable && error.code() != Status::Unsupported &&
          error.code() != Status::LoadFailed)
        throw;
      why = error.what();
    }
    passed_over += fmt::format("\n  {}: {}", plugin.name, why);
  }
  throw Error(Status::Unavailable, "no engine for " + asked.path.string() + ":" + passed_over,
              {{"path", asked.path.string()}});
}

}  // namespace

std::shared_ptr<Runner> load_among(const std::vector<Plugin>& engines, const fs::path& path,
                                   const Params& params) {
  const ModelFile file = read_model_file(path);
  const CpuBudget budget = cpu_budget(params);
  const std::vector<int> cpus = choose_cpus(budget.allowed, budget.threads);
  const Asked asked{.path = path, .params = params, .file = file, .cpus = cpus};
  const std::string name = unified_text(params, "engine");
  if (name == "auto") return load_auto(engines, asked);
  return load_with(choose_named(engines, name, asked), asked);
}

std::shared_ptr<Runner> load_local(const fs::path& path, const Params& params) {
  return load_among(plugins(), path, params);
}

}  // namespace inferometer::core
