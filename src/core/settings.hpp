// SPDX-License-Identifier: Apache-2.0
// From params and a model file to what the engine is told, and from its answer to Info.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/json.hpp"
#include "core/model_file.hpp"
#include "core/unified.hpp"
#include "inferometer/engines.hpp"
#include "inferometer/model.hpp"

namespace inferometer::core {

/// What a load comes to.
struct Settings {
  Json json;  ///< for inferometer_load_request
  std::int64_t batch_size = 1;
  bool dynamic_batch = false;  ///< the file allows fewer rows
};

/// Fixes symbols and the batch. Throws Error{Invalid} for a symbol that the model lacks (with the
/// nearest), or a batch_size that contradicts a fixed file; Error{Unsupported} for any symbol of a
/// file that wasn't read.
Settings settle(const std::filesystem::path& path, const Resolved& resolved, const ModelFile& file);

/// Covers model, plugin, engine library, CPU features, shapes and every param that affects
/// compilation.
std::string artifact_key(const Settings& settings, const Resolved& resolved,
                         const EngineStatus& engine, const std::string& plugin_hash,
                         const std::string& model_hash);

/// Takes the engine's ports and findings over; names, symbols and batch axes come from the file
/// where it was read. Throws Error{LoadFailed} when the two disagree on the number of ports or a
/// dtype, Error{Unsupported} for a batch_size where no batch axis can be told.
void add_engine_info(Info& info, const Json& answer, const ModelFile& file,
                     const Settings& settings);

}  // namespace inferometer::core
