// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

namespace inferometer::cli {

/// From the first call on, the first SIGINT or SIGTERM requests a stop; the next one ends the
/// program as if nobody had asked. Workers are unaffected: they have a session of their own.
std::stop_token stop_on_signals();

}  // namespace inferometer::cli
