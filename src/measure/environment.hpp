// SPDX-License-Identifier: Apache-2.0
// The environment of a measurement: the machine (which doesn't change) and its state (which does).
// `root` stands before /proc and /sys: tests give a tree of their own. Nothing is ever changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/json.hpp"

namespace inferometer::measure {

/// CPU, caches, NUMA, SMT, governor, hypervisor, kernel, C library, control groups, memory, huge
/// pages, our own commit and compiler. What can't be read is the text "unavailable: why".
Json machine(const std::filesystem::path& root = "/");

/// One short hex word for what must be equal if rates are to be compared: hash of machine()
/// without what a reboot or a neighbour changes.
std::string machine_id(const Json& machine);

/// Load average, pressure (PSI), steal, context switches, page faults, throttling: cheap, to be
/// taken before and after.
Json state(const std::filesystem::path& root = "/");

/// The Field value `fingerprint`: {"machine_id", "machine", "before", "after", "change"}; change =
/// differences of the counters.
Json fingerprint(const Json& machine, const Json& before, const Json& after);

/// Our version, commit, compiler and build type.
Json build_facts();

}  // namespace inferometer::measure
