// SPDX-License-Identifier: Apache-2.0
#include "graph/resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/text.hpp"

namespace inferometer::graph {

namespace {

constexpr std::int64_t kLargestSize = 1LL << 40;

template <class Enum, std::size_t N>
Enum choice(const NodeView& at, const char* attribute, const char* fallback,
            const std::array<std::pair<const char*, Enum>, N>& words) {
  const auto given = string_attribute(at.node(), attribute, fallback);
  for (const auto& [word, value] : words) {
    if (given == word) return value;
  }
  at.fail("{} '{}' is not known", attribute, printable(given));
}

Interpolation read_interpolation(const NodeView& at) {
  using enum Interpolation;
  return choice(at, "mode", "nearest",
                std::array{std::pair{"nearest", Nearest}, std::pair{"linear", Linear},
                           std::pair{"bilinear", Linear}, std::pair{"cubic", Cubic}});
}

Coordinates read_coordinates(const NodeView& at) {
  using enum Coordinates;
  return choice(
      at, "coordinate_transformation_mode", "half_pixel",
      std::array{std::pair{"half_pixel", HalfPixel},
                 std::pair{"half_pixel_symmetric", HalfPixelSymmetric},
                 std::pair{"pytorch_half_pixel", PytorchHalfPixel},
                 std::pair{"align_corners", AlignCorners}, std::pair{"asymmetric", Asymmetric},
                 std::pair{"tf_half_pixel_for_nn", TfHalfPixelForNn},
                 std::pair{"tf_crop_and_resize", TfCropAndResize}});
}

NearestMode read_nearest(const NodeView& at) {
  using enum NearestMode;
  return choice(at, "nearest_mode", "round_prefer_floor",
                std::array{std::pair{"round_prefer_floor", RoundPreferFloor},
                           std::pair{"round_prefer_ceil", RoundPreferCeil},
                           std::pair{"floor", Floor}, std::pair{"ceil", Ceil}});
}

AspectRatio read_aspect_ratio(const NodeView& at) {
  using enum AspectRatio;
  return choice(at, "keep_aspect_ratio_policy", "stretch",
                std::array{std::pair{"stretch", Stretch}, std::pair{"not_larger", NotLarger},
                           std::pair{"not_smaller", NotSmaller}});
}

/// Opsets below 11 know one way to map coordinates.
bool is_old(const NodeView& at) {
  return at.op() == "Upsample" || at.opset() < 11;
}

Resize read_attributes(const NodeView& at) {
  Resize resize;
  resize.interpolation = read_interpolation(at);
  if (is_old(at)) {
    resize.coordinates = Coordinates::Asymmetric;
    resize.nearest = NearestMode::Floor;
    return resize;
  }
  resize.coordinates = read_coordinates(at);
  resize.nearest = read_nearest(at);
  resize.antialias = int_attribute(at.node(), "antialias", 0) != 0;
  resize.exclude_outside = int_attribute(at.node(), "exclude_outside", 0) != 0;
  resize.cubic_a = static_cast<double>(float_attribute(at.node(), "cubic_coeff_a", -0.75F));
  resize.outside_value =
      static_cast<double>(float_attribute(at.node(), "extrapolation_value", 0.0F));
  return resize;
}

/// The axes that roi, scales and sizes speak of, in their order.
std::vector<std::size_t> named_axes(const NodeView& at, std::size_t rank) {
  std::vector<std::size_t> axes;
  if (at.node().attributes.count("axes") == 0) {
    for (std::size_t i = 0; i < rank; ++i) axes.push_back(i);
    return axes;
  }
  for (const auto axis : ints_attribute(at.node(), "axes", {})) {
    axes.push_back(at.axis(axis, rank));
    if (std::count(axes.begin(), axes.end(), axes.back()) > 1) {
      at.fail("axis {} is given twice", axis);
    }
  }
  return axes;
}

/// Some exporters leave an input out by giving it no elements.
bool is_given(const NodeView& at, std::size_t input) {
  const auto* shape = at.shape(input);
  return at.has(input) && (shape == nullptr || shape->size() != 1 || (*shape)[0].size != 0);
}

void expect_count(const NodeView& at, const char* what, std::size_t given, std::size_t wanted) {
  if (given != wanted) at.fail("{} has {} entries, {} are needed", what, given, wanted);
}

std::int64_t checked_size(const NodeView& at, double size) {
  if (!(size >= 0) || size > static_cast<double>(kLargestSize)) at.fail("a size of {}", size);
  return static_cast<std::int64_t>(size);
}

void apply_scales(const NodeView& at, Resize& resize, const std::vector<std::size_t>& axes,
                  const std::vector<double>& scales) {
  expect_count(at, "scales", scales.size(), axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& axis = resize.axes[axes[i]];
    if (!(scales[i] > 0)) at.fail("a scale of {}", scales[i]);
    const bool crops = resize.coordinates == Coordinates::TfCropAndResize;
    const double part = crops ? axis.end - axis.start : 1;
    axis.scale = scales[i];
    if (resize.antialias && scales[i] * static_cast<double>(axis.in + 1) < 0.5) {
      at.fail("a scale of {} leaves nothing of an axis of {}", scales[i], axis.in);
    }
    axis.out = checked_size(at, std::floor(static_cast<double>(axis.in) * part * scales[i]));
  }
}

double common_scale(const Resize& resize, const std::vector<std::size_t>& axes,
                    const std::vector<std::int64_t>& sizes, AspectRatio policy) {
  std::vector<double> scales;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    scales.push_back(static_cast<double>(sizes[i]) / static_cast<double>(resize.axes[axes[i]].in));
  }
  return policy == AspectRatio::NotLarger ? *std::min_element(scales.begin(), scales.end())
                                          : *std::max_element(scales.begin(), scales.end());
}

void apply_sizes(const NodeView& at, Resize& resize, const std::vector<std::size_t>& axes,
                 const std::vector<std::int64_t>& sizes) {
  expect_count(at, "sizes", sizes.size(), axes.size());
  const auto policy = read_aspect_ratio(at);
  const bool stretches = policy == AspectRatio::Stretch || axes.empty();
  const double common = stretches ? 0 : common_scale(resize, axes, sizes, policy);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& axis = resize.axes[axes[i]];
    const auto in = static_cast<double>(axis.in);
    // Halves are rounded up.
    axis.out =
        checked_size(at, stretches ? static_cast<double>(sizes[i]) : std::floor(common * in + 0.5));
    axis.scale = stretches ? static_cast<double>(axis.out) / in : common;
    if (axis.in == 0 && axis.out != 0) at.fail("an axis of 0 can't be resized");
  }
}

bool read_region(const NodeView& at, Resize& resize, const std::vector<std::size_t>& axes) {
  if (resize.coordinates != Coordinates::TfCropAndResize) return true;
  const auto roi = at.reals(1);
  if (!roi) return false;
  expect_count(at, "roi", roi->size(), 2 * axes.size());
  constexpr double kFarthest = 1 << 20;  // in sizes of the input
  for (const auto place : *roi) {
    if (!(std::abs(place) <= kFarthest)) at.fail("roi has the entry {}", place);
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    resize.axes[axes[i]].start = (*roi)[i];
    resize.axes[axes[i]].end = (*roi)[i + axes.size()];
  }
  return true;
}

std::optional<std::vector<double>> read_scales(const NodeView& at, std::size_t input) {
  const auto found = at.node().attributes.find("scales");
  if (found == at.node().attributes.end()) return at.reals(input);
  const auto& list = std::get<std::vector<float>>(found->second);
  return std::vector<double>(list.begin(), list.end());
}

}  // namespace

std::optional<Resize> read_resize(const NodeView& at) {
  auto resize = read_attributes(at);
  const auto x = at.sizes(0);
  if (!x) return std::nullopt;
  for (const auto size : *x) resize.axes.push_back({size, size});
  const auto axes = named_axes(at, x->size());
  if (!is_old(at) && is_given(at, 3)) {
    const auto sizes = at.integers(3);
    if (!sizes || !read_region(at, resize, axes)) return std::nullopt;
    apply_sizes(at, resize, axes, *sizes);
    return resize;
  }
  const auto scales = read_scales(at, is_old(at) ? 1 : 2);
  if (!scales || !read_region(at, resize, axes)) return std::nullopt;
  apply_scales(at, resize, axes, *scales);
  return resize;
}

namespace {

/// One axis while others are open: by its size if those are asked for, else by its scale.
Dim resized_dim(const NodeView& at, const Dim& x, const Element* size,
                std::optional<double> scale) {
  if (size != nullptr) {
    const bool fits = !size->number || (*size->number >= 0 && *size->number <= kLargestSize);
    return fits ? Dim{size->number.value_or(-1), size->symbol} : Dim{};
  }
  if (scale == 1.0) return x;
  if (x.size < 0 || !scale) return {};
  return {checked_size(at, std::floor(static_cast<double>(x.size) * *scale)), ""};
}

}  // namespace

std::vector<Dim> resized_dims(const NodeView& at) {
  auto y = *at.shape(0);
  if (const auto resize = read_resize(at)) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = {resize->axes[i].out, ""};
    return y;
  }
  const bool by_size = !is_old(at) && is_given(at, 3);
  const auto axes = named_axes(at, y.size());
  const auto sizes = by_size ? at.elements(3) : std::nullopt;
  const auto scales = by_size ? std::nullopt : read_scales(at, is_old(at) ? 1 : 2);
  if (sizes) expect_count(at, "sizes", sizes->size(), axes.size());
  if (scales) expect_count(at, "scales", scales->size(), axes.size());
  const bool plain = read_aspect_ratio(at) == AspectRatio::Stretch &&
                     read_attributes(at).coordinates != Coordinates::TfCropAndResize;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& dim = y[axes[i]];
    dim = plain ? resized_dim(at, dim, sizes ? &(*sizes)[i] : nullptr,
                              scales ? std::optional((*scales)[i]) : std::nullopt)
                : Dim{};
  }
  return y;
}

double resize_coordinate(const Resize& resize, const ResizeAxis& axis, std::int64_t i) {
  const auto at = static_cast<double>(i), in = static_cast<double>(axis.in),
             out = static_cast<double>(axis.out);
  const double half_pixel = (at + 0.5) / axis.scale - 0.5;
  switch (resize.coordinates) {
    case Coordinates::HalfPixel:
      return half_pixel;
    case Coordinates::HalfPixelSymmetric:
      return in / 2 * (1 - out / (axis.scale * in)) + half_pixel;
    case Coordinates::PytorchHalfPixel:
      return axis.out > 1 ? half_pixel : 0;
    case Coordinates::AlignCorners:
      return axis.out > 1 ? at * (in - 1) / (out - 1) : 0;
    case Coordinates::Asymmetric:
      return at / axis.scale;
    case Coordinates::TfHalfPixelForNn:  // opsets 11 and 12 only
      return (at + 0.5) / axis.scale;
    case Coordinates::TfCropAndResize:
      break;
  }
  if (axis.out <= 1) return 0.5 * (axis.start + axis.end) * (in - 1);
  return axis.start * (in - 1) + at * (axis.end - axis.start) * (in - 1) / (out - 1);
}

}  // namespace inferometer::graph
