// SPDX-License-Identifier: Apache-2.0
#include "campaign/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inferometer/error.hpp"
#include "measure/pool.hpp"

namespace inferometer::campaign {
namespace {

std::optional<std::int64_t> given_rows(std::span<const Port> ports,
                                       std::span<const InputSource> sources) {
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (const auto* given = std::get_if<Tensor>(&sources[i]))
      if (const auto rows = rows_of(ports[i], *given)) return rows;
  return std::nullopt;
}

}  // namespace

bool all_drawn(std::span<const InputSource> sources) noexcept {
  return std::ranges::all_of(sources, [](const InputSource& source) {
    return std::holds_alternative<measure::Fill>(source);
  });
}

std::vector<Tensor> make_inputs(std::span<const Port> ports, std::span<const InputSource> sources,
                                std::int64_t rows, std::uint64_t seed) {
  if (!sources.empty() && sources.size() != ports.size())
    throw Error(Status::Invalid, fmt::format("--input: {} inputs are given, the model has {}",
                                             sources.size(), ports.size()));
  rows = given_rows(ports, sources).value_or(rows);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const InputSource source = sources.empty() ? measure::Fill() : sources[i];
    if (const auto* given = std::get_if<Tensor>(&source))
      inputs.push_back(*given);
    else
      inputs.push_back(measure::pool_input(ports, i, rows, seed, std::get<measure::Fill>(source)));
  }
  return inputs;
}

std::optional<std::int64_t> rows_of(const Port& port, const Tensor& tensor) {
  const auto axis = port.batch_axis.value_or(-1);
  if (axis < 0 || static_cast<std::size_t>(axis) >= tensor.shape().rank()) return std::nullopt;
  return tensor.shape()[static_cast<std::size_t>(axis)];
}

}  // namespace inferometer::campaign
