// SPDX-License-Identifier: Apache-2.0
// What a machine's facts mean to somebody who is going to measure on it. Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "campaign/machine_profile.hpp"

namespace inferometer::campaign {

/// Appends "cpu.governor: no such file" for every text in `facts` that says "unavailable: why".
void add_unavailable(const Json& facts, const std::string& name,
                     std::vector<std::string>& unavailable);

/// Sentences, the gravest first; `fingerprint` as measure::fingerprint makes it, around the time
/// when the noise was watched.
std::vector<std::string> advice_of(const MachineProfile& profile, const Json& fingerprint);

}  // namespace inferometer::campaign
