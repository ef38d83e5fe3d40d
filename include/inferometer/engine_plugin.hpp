// SPDX-License-Identifier: Apache-2.0
// What a plugin author includes. Write a class derived from Engine and one from Context, throw
// inferometer::Error (or any std::exception) freely, and end the file with
// INFEROMETER_EXPORT_ENGINE(MyEngine). docs/add-an-engine.md is the recipe; engines/null is the
// shortest example.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/engine_abi.h"
#include "inferometer/error.hpp"
#include "inferometer/params.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer::plugin {

/// The answer to "can I run here".
struct Probe {
  std::string version;
  std::filesystem::path library;     ///< the engine's library file; empty when it has none
  std::vector<std::string> devices;  ///< "cpu", "cuda:0"
  std::vector<std::string> formats;  ///< ".onnx"
  bool synthetic = false;            ///< outputs are made up (null): engine=auto never takes it
};

/// A port as the engine reports it; -1 = dynamic. Order is what counts, names are labels.
struct PortInfo {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
};

/// The artifact cache as one load sees it. Every member is a no-op returning nothing when caching
/// is off.
class Artifacts {
 public:
  Artifacts(const inferometer_host* host, void* cache) : host_(host), cache_(cache) {}
  bool on() const noexcept { return cache_ != nullptr; }
  /// A finished, read-only artifact of this kind for exactly this load.
  std::optional<std::filesystem::path> find(std::string_view kind) const;
  /// Writes an artifact through `write(path)` and publishes it; an exception from `write` leaves
  /// nothing behind and passes on.
  template <class Write>
  std::optional<std::filesystem::path> store(std::string_view kind, Write&& write) const;

 private:
  std::optional<std::filesystem::path> create(std::string_view kind) const;
  std::optional<std::filesystem::path> commit(std::string_view kind,
                                              const std::filesystem::path& temporary,
                                              bool keep) const;
  const inferometer_host* host_;
  void* cache_;
};

/// A model to load and how. Views are valid during the call only.
struct LoadRequest {
  std::filesystem::path path;  ///< empty: `bytes` and `external` are given instead
  std::span<const std::byte> bytes;
  std::map<std::string, std::span<const std::byte>>
      external;  ///< by the "location" written in the model

  Params params;  ///< every unified and own param, typed and in its domain
  std::map<std::string, std::int64_t>
      dims;  ///< symbols fixed at load; the batch's is not among them
  std::vector<std::vector<std::int64_t>>
      input_shapes;            ///< by port; -1 = still dynamic; empty when the host doesn't know
  bool dynamic_batch = false;  ///< a context may be bound with fewer rows than batch_size
  Artifacts artifacts;

  bool flag(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  double real(const std::string& name) const;
  const std::string& text(const std::string& name) const;
};

/// What load learned.
struct ModelInfo {
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::map<std::string, std::string> effective;   ///< param -> value in force
  std::map<std::string, std::string> proof;       ///< param -> how that is known
  std::map<std::string, std::int64_t> phases_ns;  ///< read, convert, compile, allocate
  bool dynamic_batch = false;                     ///< run takes fewer rows than batch_size
  bool from_artifact = false;
  std::vector<std::string> notes;
};

/// What the engine can't take.
struct Refusal {
  std::string node;
  std::string op;
  std::string reason;
};

/// One row of a profile.
struct ProfileRow {
  std::string node;
  std::string kernel;
  std::string precision;
  std::int64_t ns = 0;
};

/// One execution state of a model, used by one thread at a time.
class Context {
 public:
  virtual ~Context() = default;
  /// See engine_abi.h, bind. The spans stay valid until the next bind.
  virtual void bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) = 0;
  virtual void run() = 0;
  /// Empty: can't tell.
  virtual std::vector<ProfileRow> profile() { return {}; }
};

/// A network loaded by an engine.
class LoadedModel {
 public:
  virtual ~LoadedModel() = default;
  virtual ModelInfo info() const = 0;
  virtual std::unique_ptr<Context> open() = 0;
  /// JSON object; empty: nothing to say.
  virtual std::string explain() const { return {}; }
};

/// An engine: stateless, one object for the life of the process.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Probe probe(
      const std::filesystem::path& library) = 0;  ///< `library`: the user's choice, or empty
  virtual std::vector<ParamSpec> params() const { return {}; }
  /// nullopt: only loading can tell.
  virtual std::optional<std::vector<Refusal>> accepts(const LoadRequest&) { return std::nullopt; }
  virtual std::unique_ptr<LoadedModel> load(const LoadRequest& request) = 0;
};

/// For log lines to the host. level as in engine_abi.h.
void log(int level, const std::string& text);

/// The table for `engine`, filled once; used by INFEROMETER_EXPORT_ENGINE.
const inferometer_engine* make_table(const inferometer_host* host, const char* name,
                                     Engine& engine) noexcept;

/// A DLTensor's dtype and shape in our words. Throws Error{Invalid} for what we don't carry.
DType dtype_of(const DLTensor& tensor);
DLDataType to_dlpack(DType dtype) noexcept;
Shape shape_of(const DLTensor& tensor);
std::size_t size_bytes(const DLTensor& tensor);

template <class Write>
std::optional<std::filesystem::path> Artifacts::store(std::string_view kind, Write&& write) const {
  const auto temporary = create(kind);
  if (!temporary) return std::nullopt;
  try {
    write(*temporary);
  } catch (...) {
    commit(kind, *temporary, false);
    throw;
  }
  return commit(kind, *temporary, true);
}

}  // namespace inferometer::plugin

#define INFEROMETER_EXPORT_ENGINE(EngineClass, engine_name)                   \
  extern "C" __attribute__((visibility("default"))) const inferometer_engine* \
  inferometer_engine_v1(const inferometer_host* host) {                       \
    static EngineClass engine;                                                \
    return inferometer::plugin::make_table(host, engine_name, engine);        \
  }
