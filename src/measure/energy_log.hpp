// SPDX-License-Identifier: Apache-2.0
// An EnergyMeter over a power meter's log.
#pragma once

#include <filesystem>
#include <memory>

#include "measure/energy.hpp"
#include "measure/power_log.hpp"

namespace inferometer::measure {

/// Between rows further apart than this nobody knows what happened.
inline constexpr std::int64_t kMostLogGapNs = 2'000'000'000;

/// Trapezoids between rows; a window's edge lies on the line between its neighbours.
EnergyWindow energy_of(const PowerLog& log, std::int64_t start_ns, std::int64_t end_ns);

/// An EnergyMeter over a log that may grow: it is read now, to refuse a wrong one early, and again
/// when the windows are asked for. `now_ns`: since 1970, UTC. Throws Error{Invalid}.
std::unique_ptr<EnergyMeter> log_meter(const std::filesystem::path& path, Clock now_ns);

}  // namespace inferometer::measure
