// SPDX-License-Identifier: Apache-2.0
#include "core/ports.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

std::string given_text(const View& view) {
  return fmt::format("{} {}", to_string(view.dtype), to_string(view.shape));
}

[[noreturn]] void refuse(const Port& port, const std::string& side, const std::string& expected,
                         const View& view) {
  throw Error(Status::Invalid,
              fmt::format("{} \"{}\": expected {}, given {}", side, printable(port.name), expected,
                          given_text(view)),
              {{"port", port.name}, {"expected", expected}, {"given", given_text(view)}});
}

void check_count(std::span<const Port> ports, std::span<const View> views,
                 const std::string& side) {
  if (ports.size() == views.size()) return;
  std::vector<std::string> names;
  for (const Port& port : ports) names.push_back(port.name);
  throw Error(
      Status::Invalid,
      fmt::format("{} {}s expected ({}), {} given", ports.size(), side, join(names), views.size()),
      {{"expected", std::to_string(ports.size())}, {"given", std::to_string(views.size())}});
}

void check_one(const Port& port, const View& view, const std::string& side) {
  bool fits = view.dtype == port.dtype && view.shape.rank() == port.shape.size();
  for (std::size_t axis = 0; fits && axis < port.shape.size(); ++axis) {
    const bool batch = port.batch_axis && static_cast<std::size_t>(*port.batch_axis) == axis;
    fits = batch ? view.shape[axis] >= 1
                 : (port.shape[axis].size < 0 || view.shape[axis] == port.shape[axis].size);
  }
  if (!fits) refuse(port, side, to_string(port), view);
  if (view.data == nullptr && view.shape.elements() > 0) refuse(port, side, "memory", view);
}

std::int64_t batch_rows(const Port& port, const View& view) {
  return view.shape[static_cast<std::size_t>(*port.batch_axis)];
}

// The size that the inputs give a symbol, -1 when none does.
std::int64_t symbol_size(const std::string& symbol, std::span<const Port> inputs,
                         std::span<const View> given) {
  for (std::size_t i = 0; !symbol.empty() && i < inputs.size(); ++i) {
    for (std::size_t axis = 0; axis < inputs[i].shape.size(); ++axis) {
      if (inputs[i].shape[axis].symbol == symbol) return given[i].shape[axis];
    }
  }
  return -1;
}

// One symbol, one size. Rows have a check of their own, with a clearer text.
void check_symbols(std::span<const Port> ports, std::span<const View> inputs, std::size_t at) {
  const Port& port = ports[at];
  for (std::size_t axis = 0; axis < port.shape.size(); ++axis) {
    const std::string& symbol = port.shape[axis].symbol;
    if (port.batch_axis && static_cast<std::size_t>(*port.batch_axis) == axis) continue;
    const std::int64_t size = symbol_size(symbol, ports, inputs);
    if (size < 0 || inputs[at].shape[axis] == size) continue;
    refuse(port, "input",
           fmt::format("{} with {} = {} as before it", to_string(port), symbol, size), inputs[at]);
  }
}

}  // namespace

std::string to_string(const Port& port) {
  std::string text = fmt::format("{} [", to_string(port.dtype));
  for (std::size_t axis = 0; axis < port.shape.size(); ++axis) {
    const Dim& dim = port.shape[axis];
    const bool batch = port.batch_axis && static_cast<std::size_t>(*port.batch_axis) == axis;
    const std::string size = dim.size >= 0 && !batch ? std::to_string(dim.size)
                             : dim.symbol.empty()    ? "?"
                                                     : dim.symbol;
    text += (axis > 0 ? "," : "") + (batch && dim.symbol.empty() ? std::string("rows") : size);
  }
  return text + "]";
}

std::int64_t check_inputs(std::span<const Port> ports, std::span<const View> inputs) {
  check_count(ports, inputs, "input");
  std::int64_t rows = -1;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    check_one(ports[i], inputs[i], "input");
    check_symbols(ports, inputs, i);
    if (!ports[i].batch_axis) continue;
    const std::int64_t here = batch_rows(ports[i], inputs[i]);
    if (rows >= 0 && here != rows) {
      refuse(ports[i], "input",
             fmt::format("{} with {} rows as the inputs before it", to_string(ports[i]), rows),
             inputs[i]);
    }
    rows = here;
  }
  return rows < 0 ? 1 : rows;
}

void check_outputs(std::span<const Port> ports, std::span<const View> outputs, std::int64_t rows) {
  check_count(ports, outputs, "output");
  for (std::size_t i = 0; i < ports.size(); ++i) {
    check_one(ports[i], outputs[i], "output");
    if (ports[i].batch_axis && batch_rows(ports[i], outputs[i]) != rows) {
      refuse(ports[i], "output", fmt::format("{} with {} rows", to_string(ports[i]), rows),
             outputs[i]);
    }
  }
}

std::optional<Shape> output_shape(const Port& output, std::span<const Port> inputs,
                                  std::span<const View> given, std::int64_t rows) {
  std::vector<std::int64_t> dims;
  for (std::size_t axis = 0; axis < output.shape.size(); ++axis) {
    const Dim& dim = output.shape[axis];
    const bool batch = output.batch_axis && static_cast<std::size_t>(*output.batch_axis) == axis;
    const std::int64_t size = batch           ? rows
                              : dim.size >= 0 ? dim.size
                                              : symbol_size(dim.symbol, inputs, given);
    if (size < 0) return std::nullopt;
    dims.push_back(size);
  }
  return Shape(dims);
}

View rows_of(const Port& port, const View& view, std::int64_t first, std::int64_t rows) {
  if (!port.batch_axis) return view;
  View part = view;
  part.shape[0] = 1;
  const std::size_t row_bytes = part.size_bytes();
  part.shape[0] = rows;
  part.data = static_cast<std::byte*>(view.data) + static_cast<std::size_t>(first) * row_bytes;
  return part;
}

}  // namespace inferometer::core
