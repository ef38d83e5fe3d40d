// SPDX-License-Identifier: Apache-2.0
// The host's side of the wall: tables of plugins, and handles that free themselves.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "core/artifacts.hpp"
#include "inferometer/engine_abi.h"
#include "inferometer/engines.hpp"
#include "inferometer/model.hpp"

namespace inferometer::core {

/// An engine plugin found on disk. Never unloaded.
struct Plugin {
  std::string name;
  std::filesystem::path path;  ///< empty when it wasn't built
  const inferometer_engine* table = nullptr;
  std::string reason;  ///< why there is no table
};

/// Every plugin beside this library and on INFEROMETER_PLUGIN_PATH, in the order of engine=auto.
/// Opened once per process. A file that is no plugin, or one of another ABI, has a reason instead
/// of a table.
const std::vector<Plugin>& plugins();

/// Throws Error{Invalid} with the nearest name, or Error{Unavailable} with the plugin's reason.
const Plugin& plugin_named(const std::string& name, const std::vector<Plugin>& among = plugins());

/// Opens one file as a plugin; never throws.
Plugin open_plugin(const std::filesystem::path& path);

/// Asks the engine whether it can run, in this process. Throws Error{Unavailable}.
struct ProbeAnswer {
  EngineStatus status;
  bool synthetic = false;  ///< outputs are made up: never chosen by engine=auto
};
ProbeAnswer probe(const Plugin& plugin, const std::string& library);

/// The engine's own params.
std::vector<ParamSpec> own_params(const Plugin& plugin);

/// Where log lines of plugins go; by default nowhere. Set once, before the first load.
void set_log(std::function<void(int level, const char* text)> sink);

/// What is given to a plugin to load.
struct WallRequest {
  std::filesystem::path path;
  std::string settings;            ///< JSON, see engine_abi.h
  ArtifactCache* cache = nullptr;  ///< null: off
};

/// What the engine can't take; nullopt: only loading can tell.
struct Refusal {
  std::string node, op, reason;
};
std::optional<std::vector<Refusal>> refusals(const Plugin& plugin, const WallRequest& request);

/// One execution state. One thread at a time.
class WallContext {
 public:
  WallContext(const Plugin& plugin, void* model);
  ~WallContext();
  WallContext(const WallContext&) = delete;
  WallContext& operator=(const WallContext&) = delete;

  /// The tensors are kept here; the plugin sees them until the next bind. Binding what is already
  /// bound costs nothing.
  void bind(std::span<const View> inputs, std::span<const View> outputs);
  void run();
  /// Output `index` as the plugin left it: for outputs bound without memory.
  View output(std::size_t index) const;
  std::string profile();

 private:
  struct Bound;
  const Plugin& plugin_;
  void* context_ = nullptr;
  std::unique_ptr<Bound> bound_;
};

/// A loaded network. Thread-safe.
class WallModel {
 public:
  WallModel(const Plugin& plugin, const WallRequest& request);
  ~WallModel();
  WallModel(const WallModel&) = delete;
  WallModel& operator=(const WallModel&) = delete;

  const Json& info() const noexcept { return info_; }
  std::unique_ptr<WallContext> open() const {
    return std::make_unique<WallContext>(plugin_, model_);
  }
  std::string explain() const;

 private:
  void unload() noexcept;

  const Plugin& plugin_;
  void* model_ = nullptr;
  Json info_;
};

}  // namespace inferometer::core
