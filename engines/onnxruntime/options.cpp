// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace inferometer::onnxruntime {
namespace {

constexpr std::array<std::pair<std::string_view, GraphOptimizationLevel>, 4> kLevels = {{
    {"disabled", ORT_DISABLE_ALL},
    {"basic", ORT_ENABLE_BASIC},
    {"extended", ORT_ENABLE_EXTENDED},
    {"all", ORT_ENABLE_ALL},
}};

GraphOptimizationLevel level_of(const std::string& name) {
  for (const auto& [word, level] : kLevels) {
    if (word == name) return level;
  }
  throw Error(Status::Invalid, "param \"graph_optimization\": \"" + name + "\" is no level");
}

ParamSpec boolean(const char* name, bool fallback, const char* help) {
  return {.name = name,
          .type = ParamSpec::Type::Bool,
          .fallback = fallback,
          .knob = true,
          .help = help};
}

void set_entry(const Library& library, OrtSessionOptions* options, const char* key,
               const char* value) {
  library.check(library.api->AddSessionConfigEntry(options, key, value), Status::LoadFailed);
}

void set_threads(const Library& library, OrtSessionOptions* options,
                 const plugin::LoadRequest& request) {
  library.check(library.api->SetIntraOpNumThreads(options, pool_threads(request)),
                Status::LoadFailed);
  library.check(library.api->SetInterOpNumThreads(options, 1), Status::LoadFailed);
  library.check(library.api->SetSessionExecutionMode(options, ORT_SEQUENTIAL), Status::LoadFailed);
  set_entry(library, options, "session.intra_op.allow_spinning",
            request.flag("spinning") ? "1" : "0");
}

void set_memory(const Library& library, OrtSessionOptions* options,
                const plugin::LoadRequest& request) {
  const auto arena = request.flag("memory_arena") ? library.api->EnableCpuMemArena
                                                  : library.api->DisableCpuMemArena;
  library.check(arena(options), Status::LoadFailed);
  set_entry(library, options, "session.set_denormal_as_zero",
            request.text("denormals") == "zero" ? "1" : "0");
}

void fix_dims(const Library& library, OrtSessionOptions* options,
              const plugin::LoadRequest& request) {
  for (const auto& [symbol, size] : request.dims) {
    library.check(library.api->AddFreeDimensionOverrideByName(options, symbol.c_str(), size),
                  Status::LoadFailed);
  }
}

void add_external(const Library& library, OrtSessionOptions* options,
                  const plugin::LoadRequest& request) {
  if (request.external.empty()) return;
  std::vector<const char*> names;
  std::vector<char*> buffers;
  std::vector<std::size_t> sizes;
  for (const auto& [name, bytes] : request.external) {
    names.push_back(name.c_str());
    // The C API takes char*, and only reads.
    buffers.push_back(const_cast<char*>(reinterpret_cast<const char*>(bytes.data())));
    sizes.push_back(bytes.size());
  }
  library.check(library.api->AddExternalInitializersFromFilesInMemory(
                    options, names.data(), buffers.data(), sizes.data(), names.size()),
                Status::LoadFailed);
}

}  // namespace

std::vector<ParamSpec> own_params() {
  std::vector<std::string> levels;
  levels.reserve(kLevels.size());
  for (const auto& [word, level] : kLevels) levels.emplace_back(word);
  return {
      {.name = "graph_optimization",
       .type = ParamSpec::Type::Text,
       .fallback = "all",
       .choices = levels,
       .knob = true,
       .affects = ParamSpec::Affects::Compile,
       .help = "Graph rewriting: basic folds, extended fuses, all also changes the layout."},
      boolean("spinning", true,
              "Idle pool threads spin before they sleep: faster alone, slower on shared cores."),
      boolean("memory_arena", true, "Keep freed tensor memory for the next run."),
      {.name = "profiling",
       .type = ParamSpec::Type::Bool,
       .fallback = false,
       .help = "Time every node, for profile; costs a little on each run, and a temporary file."},
      {.name = "denormals",
       .type = ParamSpec::Type::Text,
       .fallback = "keep",
       .choices = {"keep", "zero"},
       .scope = ParamSpec::Scope::Process,
       .help = "Compute with denormal numbers, or take them for zero (faster where they occur)."},
  };
}

void require_honourable(const plugin::LoadRequest& request) {
  if (const std::string& device = request.text("device"); device != "cpu") {
    throw Error(Status::Unsupported,
                fmt::format("device \"{}\": this plugin runs on \"cpu\"", device),
                {{"param", "device"}});
  }
  if (const std::string& precision = request.text("precision"); precision != "fp32") {
    throw Error(Status::Unsupported,
                fmt::format("precision \"{}\": its CPU kernels compute a model in the "
                            "dtypes that its file gives; convert the model, or use \"fp32\"",
                            precision),
                {{"param", "precision"}});
  }
  if (request.integer("threads") < request.integer("streams")) {
    throw Error(Status::Invalid,
                fmt::format("{} threads can't serve {} streams; every stream needs one",
                            request.integer("threads"), request.integer("streams")),
                {{"param", "threads"}});
  }
}

int pool_threads(const plugin::LoadRequest& request) {
  return static_cast<int>(request.integer("threads") - request.integer("streams") + 1);
}

Owned<OrtSessionOptions> session_options(const Library& library, const plugin::LoadRequest& request,
                                         Source source, const std::filesystem::path& profile) {
  auto options =
      own<OrtSessionOptions>(library, library.api->ReleaseSessionOptions,
                             [&](auto** out) { return library.api->CreateSessionOptions(out); });
  library.check(library.api->SetSessionGraphOptimizationLevel(
                    options.get(), level_of(request.text("graph_optimization"))),
                Status::LoadFailed);
  set_threads(library, options.get(), request);
  set_memory(library, options.get(), request);
  if (!profile.empty())
    library.check(library.api->EnableProfiling(options.get(), profile.c_str()), Status::LoadFailed);
  if (source == Source::Artifact) {
    set_entry(library, options.get(), "session.load_model_format", "ORT");
    set_entry(library, options.get(), "session.use_memory_mapped_ort_model", "1");
    set_entry(library, options.get(), "session.use_ort_model_bytes_for_initializers", "1");
  } else {
    fix_dims(library, options.get(), request);
    add_external(library, options.get(), request);
  }
  return options;
}

}  // namespace inferometer::onnxruntime
