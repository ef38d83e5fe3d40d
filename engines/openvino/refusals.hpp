// SPDX-License-Identifier: Apache-2.0
// What OpenVINO can't take of a model.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::openvino {

/// By having its frontend translate the model. nullopt when it could: the CPU plugin may still
/// refuse while it compiles. Also for a file so large that asking would cost much; external
/// data is mapped and not touched.
std::optional<std::vector<plugin::Refusal>> refusals(const Library& library,
                                                     const plugin::LoadRequest& request);

/// Operators that the frontend's report names; one without any when it names none.
std::vector<plugin::Refusal> refusals_of(std::string_view message);

}  // namespace inferometer::openvino
