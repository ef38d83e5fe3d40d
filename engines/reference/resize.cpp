// SPDX-License-Identifier: Apache-2.0
// Resize: one axis after the other, each element of the result a weighted sum of some elements of
// its line; in double throughout.
#include "graph/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "graph/geometry.hpp"
#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

using graph::Interpolation;

struct Tap {
  std::int64_t from;
  double weight;
};
/// What one place of the output's axis is made of; nothing when it lies outside.
using Taps = std::vector<Tap>;

struct Pass {
  std::int64_t outer, in, inner;
  std::vector<Taps> taps;  ///< by place of the output's axis
};

std::int64_t nearest_of(graph::NearestMode mode, double x) {
  using enum graph::NearestMode;
  const double place = mode == Floor              ? std::floor(x)
                       : mode == Ceil             ? std::ceil(x)
                       : mode == RoundPreferFloor ? std::ceil(x - 0.5)
                                                  : std::floor(x + 0.5);
  return static_cast<std::int64_t>(place);
}

/// The filter at a distance of `x`: Keys' cubic convolution with parameter a, or a triangle.
double filter(const graph::Resize& resize, double x) {
  const double d = std::abs(x), a = resize.cubic_a;
  if (resize.interpolation == Interpolation::Linear) return std::max(0.0, 1 - d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

/// `stretch`: by how much the filter is widened against aliasing.
Taps filtered(const graph::Resize& resize, const graph::ResizeAxis& axis, double x) {
  const double stretch = resize.antialias ? std::max(1.0, 1 / axis.scale) : 1.0;
  const double reach = resize.interpolation == Interpolation::Linear ? 1 : 2;
  const auto side = static_cast<std::int64_t>(std::ceil(reach * stretch));
  const auto middle = static_cast<std::int64_t>(std::floor(x));
  Taps taps;
  double total = 0;
  for (std::int64_t i = middle + 1 - side; i <= middle + side; ++i) {
    const bool outside = i < 0 || i >= axis.in;
    if (resize.exclude_outside && outside) continue;
    const double weight = filter(resize, (static_cast<double>(i) - x) / stretch);
    total += weight;
    taps.push_back({std::clamp<std::int64_t>(i, 0, axis.in - 1), weight});
  }
  const bool normalises = resize.exclude_outside || resize.antialias;
  for (auto& tap : taps) tap.weight /= normalises && total != 0 ? total : 1;
  return taps;
}

Taps taps_at(const graph::Resize& resize, const graph::ResizeAxis& axis, std::int64_t i) {
  const double x = graph::resize_coordinate(resize, axis, i);
  const bool crops = resize.coordinates == graph::Coordinates::TfCropAndResize;
  if (crops && (x < 0 || x > static_cast<double>(axis.in - 1))) return {};
  if (resize.interpolation != Interpolation::Nearest) return filtered(resize, axis, x);
  return {{std::clamp<std::int64_t>(nearest_of(resize.nearest, x), 0, axis.in - 1), 1.0}};
}

bool is_identity(const std::vector<Taps>& taps, std::int64_t in) {
  if (static_cast<std::int64_t>(taps.size()) != in) return false;
  for (std::size_t i = 0; i < taps.size(); ++i)
    for (const auto& tap : taps[i])
      if (tap.weight != (tap.from == static_cast<std::int64_t>(i) ? 1.0 : 0.0)) return false;
  return std::none_of(taps.begin(), taps.end(), [](const Taps& t) { return t.empty(); });
}

/// Axes that stay as they are need no pass.
std::vector<Pass> make_passes(const graph::Resize& resize) {
  std::vector<Pass> passes;
  for (std::size_t k = 0; k < resize.axes.size(); ++k) {
    const auto& axis = resize.axes[k];
    Pass pass{1, axis.in, 1, {}};
    for (std::int64_t i = 0; i < axis.out; ++i) pass.taps.push_back(taps_at(resize, axis, i));
    if (is_identity(pass.taps, axis.in)) continue;
    for (std::size_t i = 0; i < k; ++i) pass.outer *= resize.axes[i].out;
    for (std::size_t i = k + 1; i < resize.axes.size(); ++i) pass.inner *= resize.axes[i].in;
    passes.push_back(std::move(pass));
  }
  return passes;
}

std::vector<double> applied(const Pass& pass, const std::vector<double>& from, double outside) {
  std::vector<double> to;
  to.reserve(static_cast<std::size_t>(pass.outer * pass.inner) * pass.taps.size());
  for (std::int64_t o = 0; o < pass.outer; ++o) {
    const double* line = from.data() + o * pass.in * pass.inner;
    for (const auto& taps : pass.taps) {
      for (std::int64_t i = 0; i < pass.inner; ++i) {
        double sum = taps.empty() ? outside : 0;
        for (const auto& tap : taps) sum += tap.weight * line[tap.from * pass.inner + i];
        to.push_back(sum);
      }
    }
  }
  return to;
}

template <class T>
void interpolate(const Work& work, const std::vector<Pass>& passes, double outside) {
  const T* from = static_cast<const T*>(work.in[0].data);
  std::vector<double> values;
  for (std::int64_t i = 0; i < work.in[0].shape.elements(); ++i)
    values.push_back(static_cast<double>(from[i]));
  for (const auto& pass : passes) values = applied(pass, values, outside);
  T* to = static_cast<T*>(work.out[0].data);
  for (const double value : values) {
    if constexpr (is_real<T>)
      *to++ = static_cast<T>(value);
    else
      *to++ = to_integer<T>(value);
  }
}

/// Whole elements of any dtype: no integer has to go through double.
void pick(const Work& work, const std::vector<std::vector<std::int64_t>>& places) {
  const Shape &in = work.in[0].shape, &out = work.out[0].shape;
  const auto steps = graph::steps_of({in.begin(), in.end()});
  const auto size = static_cast<std::int64_t>(size_bytes(work.in[0].dtype));
  const auto* from = static_cast<const std::byte*>(work.in[0].data);
  auto* to = static_cast<std::byte*>(work.out[0].data);
  for (std::int64_t i = 0; i < out.elements(); ++i, to += size) {
    std::int64_t at = 0, rest = i;
    for (std::size_t axis = out.rank(); axis-- > 0;) {
      at += places[axis][static_cast<std::size_t>(rest % out[axis])] * steps[axis];
      rest /= out[axis];
    }
    std::memcpy(to, from + at * size, static_cast<std::size_t>(size));
  }
}

bool reaches_outside(const std::vector<Pass>& passes) {
  return std::any_of(passes.begin(), passes.end(), [](const Pass& pass) {
    return std::any_of(pass.taps.begin(), pass.taps.end(),
                       [](const Taps& taps) { return taps.empty(); });
  });
}

Compute prepare_nearest(const graph::Resize& resize) {
  std::vector<std::vector<std::int64_t>> places;
  for (const auto& axis : resize.axes) {
    auto& list = places.emplace_back();
    for (std::int64_t i = 0; i < axis.out; ++i)
      list.push_back(taps_at(resize, axis, i).front().from);
  }
  return [places](const Work& work) { pick(work, places); };
}

}  // namespace

Compute prepare_resize(const Site& site) {
  const auto resize = graph::read_resize(site.view());
  if (!resize) site.refuse("scales or sizes that aren't constant");
  if (site.output_shape(0).elements() == 0) return [](const Work&) {};
  for (const auto& axis : resize->axes)
    if (axis.in == 0) site.refuse("an empty input");
  const auto passes = make_passes(*resize);
  if (resize->interpolation == Interpolation::Nearest && !reaches_outside(passes))
    return prepare_nearest(*resize);
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [passes, outside = resize->outside_value](const Work& work) {
      interpolate<T>(work, passes, outside);
    };
  });
}

}  // namespace inferometer::reference
