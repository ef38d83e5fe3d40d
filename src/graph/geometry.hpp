// SPDX-License-Identifier: Apache-2.0
// What a node's attributes and small integer inputs ask for, in one form for all opsets and
// checked: inference, folding and kernels read it here, so that they can't disagree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/node_view.hpp"

namespace inferometer::graph {

/// A list that is an attribute in old opsets and an input in newer ones.
struct ListArgument {
  bool given = false;
  std::optional<std::vector<std::int64_t>> list;  ///< nullopt while the input isn't known
};
ListArgument read_list(const NodeView& at, const char* attribute, std::size_t input);

/// true at the named axes. Throws Error{Invalid} for one outside the rank or named twice.
std::vector<bool> axis_flags(const NodeView& at, const std::vector<std::int64_t>& axes,
                             std::size_t rank);

/// Which axes a Reduce* takes away; nullopt while its axes aren't known.
struct Reduction {
  std::vector<bool> reduced;
  bool keeps_axes = true;
};
std::optional<Reduction> read_reduction(const NodeView& at, std::size_t rank);

/// What a Slice takes from an axis: `count` elements from `start`, `step` apart.
struct SliceAxis {
  std::int64_t start = 0, step = 1, count = 0;
};
/// What was asked of an axis, before its size is known.
struct SliceRequest {
  bool given = false;
  std::int64_t start = 0, end = 0, step = 1;

  SliceAxis of(std::int64_t size) const;
};
/// One entry for each axis of input 0; nullopt while its inputs aren't known.
std::optional<std::vector<SliceRequest>> read_slice(const NodeView& at, std::size_t rank);

enum class PadMode { Constant, Reflect, Edge, Wrap };
/// Elements added (negative: cut off) at both ends of each axis.
struct Padding {
  PadMode mode = PadMode::Constant;
  std::vector<std::int64_t> begin, end;
};
std::optional<Padding> read_padding(const NodeView& at, std::size_t rank);

/// The sizes of the pieces of a Split; nullopt while they aren't known.
struct SplitPieces {
  std::size_t axis = 0;
  std::vector<Dim> sizes;
};
std::optional<SplitPieces> read_split(const NodeView& at, const std::vector<Dim>& x);

/// Elements of a Range; nullopt while its inputs aren't constant.
std::optional<std::int64_t> range_count(const NodeView& at);

/// An operator that only picks elements: element [i,j,...] of the output is that at
/// start + i * steps[0] + j * steps[1] + ... of input 0. `shape` may split the output's axes.
struct Strided {
  std::vector<std::int64_t> shape, steps;
  std::int64_t start = 0;
};
/// Transpose, Slice, Expand, Tile, DepthToSpace, SpaceToDepth. Every size must be known.
Strided read_strided(const NodeView& at);
void copy_strided(const Strided& how, const std::byte* from, std::byte* to,
                  std::size_t element_bytes);

/// The elements between two neighbours of each axis.
std::vector<std::int64_t> steps_of(const std::vector<std::int64_t>& shape);

}  // namespace inferometer::graph
