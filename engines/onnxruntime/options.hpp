// SPDX-License-Identifier: Apache-2.0
// Params in, session options out. ONNX Runtime checks no option (unknown keys, junk values and
// negative thread counts are all accepted), so everything it is told is made here from checked
// params.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::onnxruntime {

/// Where a session's model comes from and what is kept of it.
enum class Source {
  Model,     ///< the caller's file or bytes
  Artifact,  ///< an optimised model of ours in ONNX Runtime's own format
};

/// The engine's own params.
std::vector<ParamSpec> own_params();

/// Throws Error{Unsupported} or Error{Invalid} for unified params that can't be honoured.
void require_honourable(const plugin::LoadRequest& request);

/// Threads of the session's pool, the calling thread included: S callers and the pool's other
/// threads make the T threads asked for.
int pool_threads(const plugin::LoadRequest& request);

/// Options for one session; a model's symbols are fixed as the request says.
/// `profile`: how the names of profile files begin; empty: none is written.
Owned<OrtSessionOptions> session_options(const Library& library, const plugin::LoadRequest& request,
                                         Source source, const std::filesystem::path& profile = {});

}  // namespace inferometer::onnxruntime
