// SPDX-License-Identifier: Apache-2.0
// What a tensor must be to fit a port, and the shapes that follow from the inputs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "inferometer/model.hpp"

namespace inferometer::core {

/// "f32 [N,3,224,224]".
std::string to_string(const Port& port);

/// Numbers, dtypes, ranks and fixed axes against the ports; the rows given (1 when no port has a
/// batch axis). Throws Error{Invalid} naming port, expected and given.
std::int64_t check_inputs(std::span<const Port> ports, std::span<const View> inputs);
void check_outputs(std::span<const Port> ports, std::span<const View> outputs, std::int64_t rows);

/// The shape of an output for `rows` rows, symbols taken from the inputs given; nullopt: only
/// computing can tell.
std::optional<Shape> output_shape(const Port& output, std::span<const Port> inputs,
                                  std::span<const View> given, std::int64_t rows);

/// Rows [first, first + rows) along the batch axis (always the leading one); the whole view for a
/// port without one.
View rows_of(const Port& port, const View& view, std::int64_t first, std::int64_t rows);

}  // namespace inferometer::core
