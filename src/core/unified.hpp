// SPDX-License-Identifier: Apache-2.0
// The params that every engine honours or refuses (docs/params.md), and what they come to on this
// machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "inferometer/params.hpp"

namespace inferometer::core {

/// Declared once, here. `dim.<symbol>` is a family beside them.
const std::vector<ParamSpec>& unified_params();

/// What was asked for, checked one by one and against each other.
struct Resolved {
  Params params;                             ///< unified and the engine's own, defaults filled in
  std::map<std::string, std::int64_t> dims;  ///< dim.<symbol>
  std::vector<int> allowed;                  ///< CPUs to choose `threads` of
  std::int64_t batch_size = 0;               ///< 0: not given
  std::int64_t threads = 1, streams = 1, in_flight = 1;
};

/// Throws Error{Invalid} for an unknown name (with the nearest), a wrong type, a value out of its
/// domain, in_flight < streams, streams > threads, or more threads than CPUs.
Resolved resolve_params(const Params& given, const std::vector<ParamSpec>& own);

/// The first name of `given` that is neither unified nor one of `own`; "": all are known.
std::string unknown_param(const Params& given, const std::vector<ParamSpec>& own);

/// What `threads` and `cpus` of `given` come to, whatever else stands there. Throws as
/// resolve_params.
struct CpuBudget {
  std::vector<int> allowed;
  std::int64_t threads = 1;  ///< at most as many as are allowed
};
CpuBudget cpu_budget(const Params& given);

/// `given` with every UntypedText as its param declares, for records that keep params by type. What
/// can't be read, or is nobody's, becomes text: resolve_params refuses it.
Params typed_params(const Params& given, const std::vector<ParamSpec>& own);

/// The value of a unified text param, its default when not given.
std::string unified_text(const Params& given, const std::string& name);

/// `count` of the allowed, the next in turn on every call: processes that load several models of
/// few threads get them on different CPUs.
std::vector<int> choose_cpus(const std::vector<int>& allowed, std::int64_t count);

}  // namespace inferometer::core
