// SPDX-License-Identifier: Apache-2.0
// RAPL counters of Intel and AMD processors, as Linux shows them (Documentation/power/powercap).
#pragma once

#include <filesystem>
#include <memory>

#include "measure/energy.hpp"

namespace inferometer::measure {

/// The packages of all sockets and the memory (dram) beside them. Not their cores and uncore, which
/// a package's counter holds, and not psys, which may hold all. `root` stands before /sys. Throws
/// Error{Unavailable} saying where it looked, or how reading can be allowed.
std::unique_ptr<EnergySource> rapl_source(const std::filesystem::path& root = "/");

}  // namespace inferometer::measure
