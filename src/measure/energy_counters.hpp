// SPDX-License-Identifier: Apache-2.0
// An EnergyMeter over counters.
#pragma once

#include <memory>
#include <vector>

#include "measure/energy.hpp"

namespace inferometer::measure {

/// Reads every source at each start and stop and, from a thread of its own, often enough between
/// them that no wrap is missed. Domains whose counters never moved are left out; `windows` throws
/// Error{Unavailable} when none did. `now_ns`: monotonic, callable from any thread.
std::unique_ptr<EnergyMeter> counter_meter(std::vector<std::unique_ptr<EnergySource>> sources,
                                           Clock now_ns);

}  // namespace inferometer::measure
