// SPDX-License-Identifier: Apache-2.0
// The sliding window that convolutions and pools share.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

enum class AutoPad { NotSet, SameUpper, SameLower, Valid };
enum class Rounding { Floor, Ceil };

/// One entry per spatial axis. With auto_pad other than NotSet, `pads_*` are 0 until
/// fix_pads sets them.
struct Window {
  std::vector<std::int64_t> kernel, strides, dilations, pads_begin, pads_end;
  AutoPad auto_pad = AutoPad::NotSet;
  Rounding rounding = Rounding::Floor;
};

/// The window of a Conv, MaxPool or AveragePool node over `kernel.size()` axes, checked. Throws
/// Error{Invalid} naming node and attribute.
Window read_window(const Node& node, std::vector<std::int64_t> kernel);

/// Output size of one spatial axis, unknown for an unknown input. Throws Error{Invalid} naming the
/// node when the window doesn't fit.
Dim window_output(const Node& node, const Window& window, std::size_t axis, const Dim& input);

/// The window of a ConvTranspose, whose outputs lie where a Conv's inputs would. `extra`:
/// output_padding; `wanted`: output_shape, empty when it isn't given.
struct TransposedWindow : Window {
  std::vector<std::int64_t> extra, wanted;
};
TransposedWindow read_transposed_window(const Node& node, std::vector<std::int64_t> kernel);
/// Output size of one spatial axis; with it, pads_begin and pads_end of that axis become those in
/// force.
Dim transposed_output(const Node& node, TransposedWindow& window, std::size_t axis,
                      const Dim& input);

/// Sets pads_begin and pads_end as auto_pad asks for inputs of these sizes.
void fix_pads(Window& window, const std::vector<std::int64_t>& input_sizes);

}  // namespace inferometer::graph
