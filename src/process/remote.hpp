// SPDX-License-Identifier: Apache-2.0
// A model in a worker, and engines asked about in workers.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "core/runner.hpp"
#include "inferometer/engines.hpp"
#include "process/worker.hpp"

namespace inferometer::process {

/// isolation=process: as core::load_local, in a worker of its own that ends with the runner.
/// `options.cpus` empty: chosen by the params `threads` and `cpus`.
std::shared_ptr<core::Runner> load_remote(const std::filesystem::path& path, const Params& params,
                                          WorkerOptions options = {});

/// What a worker for these params may run on; empty: the caller's CPUs. Throws Error{Invalid}.
std::vector<int> worker_cpus(const Params& params);

/// Each plugin asked in a worker of its own, all at once, at most `limit` each. A probe that
/// crashes or hangs makes its engine unavailable, with the reason.
std::vector<EngineStatus> probe_engines(const std::vector<std::string>& names,
                                        std::chrono::milliseconds limit,
                                        WorkerOptions options = {});

}  // namespace inferometer::process
