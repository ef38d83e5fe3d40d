// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::openvino {

std::unique_ptr<plugin::LoadedModel> load_model(const Library& library,
                                                const plugin::LoadRequest& request);

}  // namespace inferometer::openvino
