// SPDX-License-Identifier: Apache-2.0
// What a model is fed: tensors of the user's, or the seeded pool.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "inferometer/model.hpp"
#include "inferometer/tensor.hpp"
#include "measure/fill.hpp"

namespace inferometer::campaign {

/// Where one input comes from: drawn so, or given.
using InputSource = std::variant<measure::Fill, Tensor>;

/// Whether every input is drawn: then model, dims, seed and fills say all about them.
bool all_drawn(std::span<const InputSource> sources) noexcept;

/// One tensor per port. `sources` has one for every port, or none: all are drawn as usual. Where
/// some are given, their rows count instead of `rows`. Throws Error{Invalid} for another number of
/// sources, and as pool_inputs.
std::vector<Tensor> make_inputs(std::span<const Port> ports, std::span<const InputSource> sources,
                                std::int64_t rows, std::uint64_t seed);

/// Of the port's batch axis; nothing without one.
std::optional<std::int64_t> rows_of(const Port& port, const Tensor& tensor);

}  // namespace inferometer::campaign
