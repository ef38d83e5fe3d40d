// SPDX-License-Identifier: Apache-2.0
// Ports and shapes between OpenVINO's words and ours.
#pragma once

#include <cstdint>
#include <vector>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::openvino {

ov_element_type_e element_type_of(DType dtype);

/// Ports in the model's order (names are labels: OpenVINO renames when it folds a node).
/// Throws Error{Unsupported} for an element type or rank that isn't carried.
std::vector<plugin::PortInfo> input_ports(const Library& library,
                                          const ov_compiled_model_t* compiled);
std::vector<plugin::PortInfo> output_ports(const Library& library,
                                           const ov_compiled_model_t* compiled);

/// Gives the model's inputs these shapes (-1 = dynamic), by index; nothing is done when it has them
/// already. Throws Error{Invalid} when the number or rank of ports differs.
void reshape(const Library& library, ov_model_t* model,
             const std::vector<std::vector<std::int64_t>>& shapes);

}  // namespace inferometer::openvino
