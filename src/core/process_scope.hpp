// SPDX-License-Identifier: Apache-2.0
// Params of process scope: an engine latches them at its first load.
#pragma once

#include "core/unified.hpp"
#include "core/wall.hpp"

namespace inferometer::core {

/// Remembers the values of the first load of this engine in this process. Throws Error{Unsupported}
/// (remedy: isolation=process) for a later load that needs another. Thread-safe.
void claim_process_scope(const Plugin& plugin, const EngineStatus& engine,
                         const Resolved& resolved);

}  // namespace inferometer::core
