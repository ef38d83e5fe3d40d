// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inferometer/export.hpp"
#include "inferometer/params.hpp"

namespace inferometer {

/// Whether an engine can be used here, and how.
struct EngineStatus {
  std::string name;
  bool available = false;
  std::string version;
  std::string library;               ///< file of the engine; empty when it has none
  std::string library_hash;          ///< XXH3-128, hex
  std::string reason;                ///< when unavailable: why, and where we looked
  std::vector<std::string> devices;  ///< "cpu", "cuda:0"
  std::vector<std::string> formats;  ///< file endings it takes: ".onnx", ".xml"
  std::vector<ParamSpec> params;     ///< its own params; empty when unavailable
};

/// Every engine plugin found beside the library or on INFEROMETER_PLUGIN_PATH, in the order that
/// engine=auto tries. Each is probed once, in a child process, and remembered for the life of this
/// process. Never throws for an engine that is missing.
INFEROMETER_API std::vector<EngineStatus> engines();

}  // namespace inferometer
