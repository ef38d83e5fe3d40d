// SPDX-License-Identifier: Apache-2.0
// The processes of a worker, read from procfs. A worker leads its own session, so that children
// which an engine starts are found even after they lost their parent.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace inferometer::process {

/// `leader` (if it exists, zombies included), its descendants and the members of its session.
std::vector<pid_t> tree_of(pid_t leader);

/// 'R', 'S', 'T', 'Z' ... of a thread or process; 0 when it has gone.
char state_of(pid_t pid);
/// True when every thread of the process has stopped or ended.
bool all_stopped(pid_t pid);

/// Resident bytes of one process; 0 when it has gone.
std::uint64_t resident_bytes(pid_t pid);

/// How often the kernel's OOM killer has struck on this machine; 0 when it doesn't say.
std::uint64_t oom_kills();

}  // namespace inferometer::process
