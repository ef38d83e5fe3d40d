// SPDX-License-Identifier: Apache-2.0
// Where to keep images channels last: ONNX says channels first (NCHW), many kernels want NHWC.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// ChannelsLast: axis 1 is stored as the last one. Only of values with at least three axes.
enum class Layout : std::uint8_t { Plain, ChannelsLast };

/// A value is stored as the node that makes it gives it: in the node's layout, unless it renames;
/// inputs of the graph are Plain, as its outputs must be in the end. A node takes its data inputs
/// in its layout and all others Plain; a value that is stored otherwise is converted first, once
/// for all that want it so.
///
/// Convolutions, windowed pools and resizing are ChannelsLast. Element-wise nodes, and those whose
/// axes can be numbered anew (Concat, reductions, ...), are what costs fewest converted bytes in
/// the connected group of them. Everything else is Plain. A Transpose between the two layouts
/// (0,2,3,1 or 0,3,1,2) is none: the one reads ChannelsLast and gives the same bytes as Plain, the
/// other the reverse.
struct LayoutPlan {
  std::vector<Layout> nodes;
  std::vector<Layout> values;
  /// By node: a Transpose that only gives the same bytes another name, if its input is stored as
  /// it expects (which may need a conversion).
  std::vector<bool> renames;
};

/// For a graph whose shapes are inferred.
LayoutPlan plan_layout(const Graph& graph);

/// Inputs of the node that carry its images: those to be given in the node's layout. The others
/// (weights, statistics, axes, what bodies capture) are wanted as ONNX has them.
std::vector<ValueId> data_inputs(const Graph& graph, const Node& node);

/// What has to be converted, and to which layout; without constants, and without values whose bytes
/// are the same in both layouts ([N,C,1,1]).
struct Conversion {
  ValueId value = kNoValue;
  Layout to = Layout::Plain;
  bool operator==(const Conversion&) const = default;
};
std::vector<Conversion> conversions(const Graph& graph, const LayoutPlan& plan);

/// Axis `axis` (0..rank-1) of a plain shape in the other layout.
constexpr std::int64_t channels_last_axis(std::int64_t axis, std::int64_t rank) noexcept {
  if (axis == 0) return 0;
  return axis == 1 ? rank - 1 : axis - 1;
}

}  // namespace inferometer::graph
