// SPDX-License-Identifier: Apache-2.0
// What ONNX Runtime can't take of a model.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::onnxruntime {

/// By making a session that optimises nothing, which finds a kernel for every node; it stops at the
/// first without one. nullopt for a file so large that asking would cost as much as loading;
/// external data is mapped and not touched.
std::optional<std::vector<plugin::Refusal>> refusals(const Library& library,
                                                     const plugin::LoadRequest& request);

/// Node and operator as far as the message tells them.
plugin::Refusal refusal_of(std::string_view message);

}  // namespace inferometer::onnxruntime
