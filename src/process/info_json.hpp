// SPDX-License-Identifier: Apache-2.0
// Info and EngineStatus as they cross the worker's socket.
#pragma once

#include "base/json.hpp"
#include "inferometer/engines.hpp"
#include "inferometer/model.hpp"

namespace inferometer::process {

/// The readers throw Error{Invalid} for whatever the writers wouldn't write.
Json to_json(const Info& info);
Info info_from_json(const Json& json);

Json to_json(const EngineStatus& status);
EngineStatus engine_status_from_json(const Json& json);

/// A count such as streams: what was read back, else what was asked for, else 1.
std::int64_t count_in_force(const Info& info, const std::string& param);

}  // namespace inferometer::process
