// SPDX-License-Identifier: Apache-2.0
// What every worker program does around its services.
#pragma once

#include "process/server.hpp"

namespace inferometer::process {

/// Reads `--socket N --parent PID`, binds this process's life to its parent's, serves, and gives
/// the exit code: 0 told to stop or left alone, 2 wrong arguments, 70 the parent broke the
/// protocol.
int worker_main(int argc, char** argv, Services services);

}  // namespace inferometer::process
