// SPDX-License-Identifier: Apache-2.0
#include "compile.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "ports.hpp"

namespace inferometer::openvino {
namespace {

namespace fs = std::filesystem;
constexpr const char* kDevice = "CPU";

// Adds the time of `step` to a phase.
template <class Step>
auto timed(plugin::ModelInfo& info, const char* phase, Step&& step) {
  const auto begin = std::chrono::steady_clock::now();
  auto result = step();
  info.phases_ns[phase] +=
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin)
          .count();
  return result;
}

Owned<ov_core_t> make_core(const Library& library, const Properties& properties) {
  auto core = own<ov_core_t>(library, library.core_free,
                             [&](auto** out) { return library.core_create(out); });
  library.check(library.core_set_properties(core.get(), kDevice, properties.raw().size(),
                                            properties.raw().data()),
                Status::LoadFailed);
  return core;
}

Owned<ov_model_t> read_model(const Library& library, const ov_core_t* core,
                             const plugin::LoadRequest& request) {
  if (!request.external.empty()) {
    throw Error(Status::Unsupported,
                "a model in memory with external data; save it as a file, or inline its "
                "data");
  }
  return own<ov_model_t>(
      library, library.model_free,
      [&](auto** out) {
        if (!request.path.empty()) {
          return library.core_read_model(core, request.path.c_str(), nullptr, out);
        }
        return library.core_read_model_from_memory_buffer(
            core, reinterpret_cast<const char*>(request.bytes.data()), request.bytes.size(),
            nullptr, out);
      },
      // An ONNX file has been read by us by then.
      request.path.extension() == ".xml" ? Status::Invalid : Status::LoadFailed);
}

Owned<ov_compiled_model_t> compile_cold(const Library& library, const ov_core_t* core,
                                        const plugin::LoadRequest& request,
                                        const Properties& properties, plugin::ModelInfo& info) {
  const auto model = timed(info, "read", [&] { return read_model(library, core, request); });
  if (!request.input_shapes.empty()) reshape(library, model.get(), request.input_shapes);
  return timed(info, "compile", [&] {
    return own<ov_compiled_model_t>(library, library.compiled_model_free, [&](auto** out) {
      return library.core_compile_model_props(core, model.get(), kDevice, properties.raw().size(),
                                              properties.raw().data(), out);
    });
  });
}

Owned<ov_compiled_model_t> import(const Library& library, const ov_core_t* core,
                                  const MappedFile& artifact) {
  const std::span<const std::byte> bytes = artifact.bytes();
  return own<ov_compiled_model_t>(library, library.compiled_model_free, [&](auto** out) {
    return library.core_import_model(core, reinterpret_cast<const char*>(bytes.data()),
                                     bytes.size(), kDevice, out);
  });
}

Compiled without_model(const Library& library, const Properties& properties) {
  return {nullptr, make_core(library, properties), {nullptr, library.compiled_model_free}};
}

// Nothing when there is no artifact, or it doesn't give what the load asks for.
std::optional<Compiled> from_artifact(const Library& library, const plugin::LoadRequest& request,
                                      const Properties& properties, plugin::ModelInfo& info) {
  const auto artifact = request.artifacts.find("compiled");
  if (!artifact) return std::nullopt;
  plugin::ModelInfo attempt;
  try {
    Compiled made = without_model(library, properties);
    made.artifact = std::make_unique<MappedFile>(*artifact);
    made.model =
        timed(attempt, "read", [&] { return import(library, made.core.get(), *made.artifact); });
    read_back(library, made.model.get(), properties, attempt);
    attempt.from_artifact = true;
    info = attempt;
    return made;
  } catch (const Error& error) {
    plugin::log(
        2, fmt::format("openvino: artifact {} left aside: {}", artifact->string(), error.what()));
    return std::nullopt;
  }
}

void keep(const Library& library, const plugin::LoadRequest& request,
          const ov_compiled_model_t* compiled, plugin::ModelInfo& info) {
  try {
    request.artifacts.store("compiled", [&](const fs::path& path) {
      library.check(library.compiled_model_export_model(compiled, path.c_str()),
                    Status::LoadFailed);
    });
  } catch (const Error& error) {
    info.notes.push_back(std::string("the compiled model could not be kept: ") + error.what());
  }
}

}  // namespace

Compiled compile(const Library& library, const plugin::LoadRequest& request,
                 plugin::ModelInfo& info) {
  const Properties properties(request);
  if (auto made = from_artifact(library, request, properties, info)) return std::move(*made);
  Compiled made = without_model(library, properties);
  made.model = compile_cold(library, made.core.get(), request, properties, info);
  read_back(library, made.model.get(), properties, info);
  keep(library, request, made.model.get(), info);
  return made;
}

}  // namespace inferometer::openvino
