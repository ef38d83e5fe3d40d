// SPDX-License-Identifier: Apache-2.0
// The environment of a measurement: the machine (which doesn't change) and its state (which does).
// `root` stands before /proc and /sys: tests give a tree of their own. Nothing is ever changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/json.hpp"

namespace inferometer::measure {

inline constexpr const char* kNoGpu = "unavailable: this version looks for no GPU";

/// CPU, caches, NUMA, SMT, governor, hypervisor, kernel, C library, control groups, memory, huge
/// pages, GPU model and driver, our own commit and compiler. What can't be read is the text
/// "unavailable: why".
Json machine(const std::filesystem::path& root = "/");

/// One short hex word for what must be equal if rates are to be compared: hash of machine()
/// without what a reboot or a neighbour changes.
std::string machine_id(const Json& machine);

/// Load average, pressure (PSI), steal, context switches, page faults, throttling, GPU clocks and
/// throttle reasons: cheap, to be taken before and after.
Json state(const std::filesystem::path& root = "/");

/// Around one stretch of measuring; a text says why a state is not known.
struct States {
  Json before, after;
};

/// The Field value `fingerprint`: what `identity` holds ({"machine_id", "machine"}), "before" of
/// the first stretch, "after" of the last, and "change" = differences of the counters, summed over
/// the stretches. Takes states of any shape: journals come from strangers.
Json fingerprint(const Json& identity, std::span<const States> stretches);

/// Our version, commit, compiler and build type.
Json build_facts();

}  // namespace inferometer::measure
