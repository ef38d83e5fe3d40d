// SPDX-License-Identifier: Apache-2.0
// Energy counters of NVIDIA GPUs (NVML, nvmlDeviceGetTotalEnergyConsumption: millijoules of the
// whole board since the driver was loaded).
#pragma once

#include <filesystem>
#include <memory>

#include "measure/energy.hpp"

namespace inferometer::measure {

/// All GPUs that NVML shows and that count. Throws Error{Unavailable}: no library, a library that
/// lacks a function, no driver, or no GPU that counts, with NVML's own words.
std::unique_ptr<EnergySource> nvml_source(
    const std::filesystem::path& library = "libnvidia-ml.so.1");

}  // namespace inferometer::measure
