// SPDX-License-Identifier: Apache-2.0
// What a Resize (or an Upsample) asks for, in one form for all opsets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/node_view.hpp"

namespace inferometer::graph {

enum class Interpolation { Nearest, Linear, Cubic };
enum class Coordinates {
  HalfPixel,
  HalfPixelSymmetric,
  PytorchHalfPixel,
  AlignCorners,
  Asymmetric,
  TfHalfPixelForNn,
  TfCropAndResize
};
enum class NearestMode { RoundPreferFloor, RoundPreferCeil, Floor, Ceil };
enum class AspectRatio { Stretch, NotLarger, NotSmaller };

/// One axis. `start` and `end` are the region of TfCropAndResize.
struct ResizeAxis {
  std::int64_t in = 1, out = 1;
  double scale = 1, start = 0, end = 1;
};

struct Resize {
  Interpolation interpolation = Interpolation::Nearest;
  Coordinates coordinates = Coordinates::HalfPixel;
  NearestMode nearest = NearestMode::RoundPreferFloor;
  bool antialias = false, exclude_outside = false;
  double cubic_a = -0.75, outside_value = 0;
  std::vector<ResizeAxis> axes;
};

/// Throws Error{Invalid} naming the node for an attribute out of its domain, or sizes that
/// overflow. The input's shape must be known; nullopt while scales or sizes aren't constant.
std::optional<Resize> read_resize(const NodeView& at);

/// The output's shape as far as it is known: an axis that isn't resized keeps its symbol.
std::vector<Dim> resized_dims(const NodeView& at);

/// Where the output's element `i` of an axis lies in the input.
double resize_coordinate(const Resize& resize, const ResizeAxis& axis, std::int64_t i);

}  // namespace inferometer::graph
