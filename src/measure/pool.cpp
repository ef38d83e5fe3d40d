// SPDX-License-Identifier: Apache-2.0
#include "measure/pool.hpp"

#include <fmt/format.h>

#include <cstring>

#include "inferometer/error.hpp"
#include "measure/mix.hpp"

namespace inferometer::measure {
namespace {

// Element i of a row is a hash of (row's key, i), so that any row can be made without those before
// it.
std::uint64_t row_key(std::uint64_t seed, std::uint64_t port, std::uint64_t row) {
  return mixed(mixed(mixed(seed) + port) + row);
}

Shape pool_shape(const Port& port, std::int64_t rows) {
  std::vector<std::int64_t> dims;
  for (std::size_t axis = 0; axis < port.shape.size(); ++axis) {
    const bool batch = port.batch_axis && static_cast<std::size_t>(*port.batch_axis) == axis;
    dims.push_back(batch ? rows : port.shape[axis].size < 0 ? 1 : port.shape[axis].size);
  }
  return Shape(std::span<const std::int64_t>(dims));
}

// Element runs of one row: `outer` runs of `inner` elements, a stride of rows * inner apart.
struct Layout {
  std::size_t outer = 1, rows = 1, inner = 1;
};

Layout layout_of(const Shape& shape, int axis) {
  Layout layout;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const auto size = static_cast<std::size_t>(shape[i]);
    if (static_cast<int>(i) < axis)
      layout.outer *= size;
    else if (static_cast<int>(i) == axis)
      layout.rows = size;
    else
      layout.inner *= size;
  }
  return layout;
}

void fill_rows(Tensor& tensor, int axis, const Fill& fill, std::uint64_t seed, std::uint64_t port) {
  const auto layout = layout_of(tensor.shape(), axis);
  for (std::size_t row = 0; row < layout.rows; ++row) {
    const auto key = row_key(seed, port, row);
    std::uint64_t element = 0;
    for (std::size_t outer = 0; outer < layout.outer; ++outer)
      for (std::size_t inner = 0; inner < layout.inner; ++inner)
        store_drawn(fill, tensor.dtype(), tensor.data(),
                    (outer * layout.rows + row) * layout.inner + inner, mixed(key + element++));
  }
}

// target row i <- source row (first + i) mod source rows.
Tensor picked_rows(const View& source, int axis, std::int64_t first, std::int64_t count) {
  if (axis < 0 || static_cast<std::size_t>(axis) >= source.shape.rank() ||
      source.shape[static_cast<std::size_t>(axis)] < 1)
    throw Error(Status::Invalid,
                fmt::format("no rows along axis {} of shape {}", axis, to_string(source.shape)));
  auto shape = source.shape;
  shape[static_cast<std::size_t>(axis)] = count;
  Tensor target(source.dtype, shape);
  const auto from = layout_of(source.shape, axis);
  const auto run = from.inner * size_bytes(source.dtype);
  const auto rows = static_cast<std::size_t>(count);
  for (std::size_t outer = 0; outer < from.outer; ++outer)
    for (std::size_t row = 0; row < rows; ++row) {
      const auto pick = (static_cast<std::size_t>(first) + row) % from.rows;
      std::memcpy(static_cast<std::byte*>(target.data()) + (outer * rows + row) * run,
                  static_cast<const std::byte*>(source.data) + (outer * from.rows + pick) * run,
                  run);
    }
  return target;
}

}  // namespace

std::vector<Tensor> pool_inputs(std::span<const Port> ports, std::int64_t rows, std::uint64_t seed,
                                std::span<const Fill> fills) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < ports.size(); ++i)
    inputs.push_back(pool_input(ports, i, rows, seed, fills.empty() ? Fill() : fills[i]));
  return inputs;
}

Tensor pool_input(std::span<const Port> ports, std::size_t index, std::int64_t rows,
                  std::uint64_t seed, const Fill& fill) {
  const Port& port = ports[index];
  check_fill(port, fill);
  Tensor tensor(port.dtype, pool_shape(port, rows));
  fill_rows(tensor, port.batch_axis.value_or(-1), fill, seed, index);
  return tensor;
}

Tensor repeat_rows(const Tensor& source, int axis, std::int64_t rows, std::int64_t first) {
  return picked_rows(source, axis, first, rows);
}

Tensor take_rows(const View& source, int axis, std::int64_t first, std::int64_t count) {
  const bool has_axis = axis >= 0 && static_cast<std::size_t>(axis) < source.shape.rank();
  if (has_axis &&
      (first < 0 || count < 0 || first > source.shape[static_cast<std::size_t>(axis)] - count))
    throw Error(Status::Invalid, fmt::format("rows {} to {} of shape {} along axis {}", first,
                                             first + count, to_string(source.shape), axis));
  return picked_rows(source, axis, first, count);
}

}  // namespace inferometer::measure
