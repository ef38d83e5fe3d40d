// SPDX-License-Identifier: Apache-2.0
// Convolution. With several output channels a group: a matrix product whose right operand, the
// pixels under the window, is gathered while it is packed. With few (depthwise): rows of
// accumulators, one tap of the kernel after the other. Both add in the order channel, depth,
// height, width of the kernel.
#include <algorithm>
#include <array>
#include <vector>

#include "kernel.hpp"
#include "product.hpp"
#include "window.hpp"

namespace inferometer::reference {
namespace {

constexpr std::int64_t kWidestPanel = 16;
constexpr std::int64_t kFewChannels = 4;

struct ConvShape {
  Window window;
  std::int64_t images = 0, groups = 1;
  std::int64_t in_channels = 0, out_channels = 0;  // of one group

  std::int64_t depth() const { return in_channels * window.kernel_size(); }
};

/// A place in the kernel, counted up in the order of the weights.
struct Tap {
  std::int64_t channel, z, y, x;

  Tap(const ConvShape& s, std::int64_t k)
      : channel(k / s.window.kernel_size()),
        z(k / (s.window.axes[1].kernel * s.window.axes[2].kernel) % s.window.axes[0].kernel),
        y(k / s.window.axes[2].kernel % s.window.axes[1].kernel),
        x(k % s.window.axes[2].kernel) {}

  void next(const Window& w) {
    if (++x < w.axes[2].kernel) return;
    x = 0;
    if (++y < w.axes[1].kernel) return;
    y = 0;
    if (++z < w.axes[0].kernel) return;
    z = 0;
    ++channel;
  }
};

/// The upper left corners of the windows of some pixels.
struct Corners {
  std::array<std::int64_t, kWidestPanel> z, y, x, offset;
  bool inside = true;  ///< no window reaches over an edge

  Corners(const Window& w, std::int64_t first, std::int64_t count) {
    const auto& [dz, dy, dx] = w.axes;
    for (std::int64_t p = 0; p < count; ++p) {
      const auto i = static_cast<std::size_t>(p);
      const std::int64_t pixel = first + p;
      z[i] = dz.at(pixel / (dy.out * dx.out), 0);
      y[i] = dy.at(pixel / dx.out % dy.out, 0);
      x[i] = dx.at(pixel % dx.out, 0);
      offset[i] = (z[i] * dy.in + y[i]) * dx.in + x[i];
      inside = inside && fits(dz, z[i]) && fits(dy, y[i]) && fits(dx, x[i]);
    }
  }

  static bool fits(const WindowAxis& axis, std::int64_t corner) {
    return corner >= 0 && corner + (axis.kernel - 1) * axis.dilation < axis.in;
  }
};

template <class T>
class Pixels {
 public:
  Pixels(const ConvShape& shape, const T* image) : shape_(shape), image_(image) {}

  void pack(const Products::Piece& piece, std::int64_t panel, double* to) const {
    const Corners corners(shape_.window, piece.first, piece.size);
    Tap tap(shape_, piece.k);
    for (std::int64_t k = 0; k < piece.depth; ++k, to += panel, tap.next(shape_.window))
      corners.inside ? pack_inside(corners, tap, piece.size, to)
                     : pack_edge(corners, tap, piece.size, to);
  }

 private:
  void pack_inside(const Corners& corners, const Tap& tap, std::int64_t count, double* to) const {
    const auto& [dz, dy, dx] = shape_.window.axes;
    const T* from = plane(tap) + (tap.z * dz.dilation * dy.in + tap.y * dy.dilation) * dx.in +
                    tap.x * dx.dilation;
    for (std::int64_t p = 0; p < count; ++p)
      to[p] = static_cast<double>(from[corners.offset[static_cast<std::size_t>(p)]]);
  }

  void pack_edge(const Corners& corners, const Tap& tap, std::int64_t count, double* to) const {
    const auto& [dz, dy, dx] = shape_.window.axes;
    const T* from = plane(tap);
    for (std::int64_t p = 0; p < count; ++p) {
      const auto i = static_cast<std::size_t>(p);
      const std::int64_t z = corners.z[i] + tap.z * dz.dilation;
      const std::int64_t y = corners.y[i] + tap.y * dy.dilation;
      const std::int64_t x = corners.x[i] + tap.x * dx.dilation;
      const bool inside = z >= 0 && z < dz.in && y >= 0 && y < dy.in && x >= 0 && x < dx.in;
      to[p] = inside ? static_cast<double>(from[(z * dy.in + y) * dx.in + x]) : 0.0;
    }
  }

  const T* plane(const Tap& tap) const { return image_ + tap.channel * shape_.window.in_size(); }

  const ConvShape& shape_;
  const T* image_;
};

template <class T>
double bias_of(const View& bias, std::int64_t channel) {
  return bias.data == nullptr ? 0.0
                              : load_wide<T>(static_cast<const std::byte*>(bias.data), channel);
}

template <class T>
void convolve_by_product(const ConvShape& s, const Work& work) {
  const T* input = static_cast<const T*>(work.in[0].data);
  const auto* weights = static_cast<const std::byte*>(work.in[1].data);
  const View bias = work.in.size() > 2 ? work.in[2] : View{};
  T* output = static_cast<T*>(work.out[0].data);
  const std::int64_t in_step = s.in_channels * s.window.in_size(), depth = s.depth();

  Products p{.count = s.images * s.groups,
             .rows = s.out_channels,
             .columns = s.window.out_size(),
             .depth = depth};
  p.pack_left = [&](const Products::Piece& piece, double* to) {
    const std::int64_t group = piece.product % s.groups;
    const auto start = group * s.out_channels * depth * static_cast<std::int64_t>(sizeof(T));
    pack_matrix<T>(weights + start, depth, 1, piece, kRows, to);
  };
  p.pack_right = [&](const Products::Piece& piece, std::int64_t panel, double* to) {
    Pixels<T>(s, input + piece.product * in_step).pack(piece, panel, to);
  };
  p.store = [&](std::int64_t product, std::int64_t row, std::int64_t rows, std::int64_t column,
                std::int64_t columns, const double* sums) {
    for (std::int64_t r = 0; r < rows; ++r) {
      const double add = bias_of<T>(bias, product % s.groups * s.out_channels + row + r);
      T* to = output + (product * s.out_channels + row + r) * p.columns + column;
      for (std::int64_t c = 0; c < columns; ++c) to[c] = static_cast<T>(sums[c * kRows + r] + add);
    }
  };
  // Products of doubles are rounded, so only the unfused loop gives the same bits everywhere.
  const bool exact = !std::is_same_v<T, double>;
  multiply(work.pool, exact ? work.multiplier : multipliers().front(), p);
}

/// Outputs [begin, end) of a row whose tap reads inside the input.
struct Span {
  std::int64_t begin, end;
};
Span inside(const WindowAxis& axis, std::int64_t k) {
  const std::int64_t shift = axis.pad - k * axis.dilation;  // o * stride >= shift
  const auto up = [&](std::int64_t v) { return v <= 0 ? 0 : (v + axis.stride - 1) / axis.stride; };
  return {std::min(up(shift), axis.out), std::min(up(axis.in + shift), axis.out)};
}

template <class T>
void add_row(const ConvShape& s, const T* image, const std::byte* weights, std::int64_t oz,
             std::int64_t oy, double* sums) {
  const auto& [dz, dy, dx] = s.window.axes;
  Tap tap(s, 0);
  for (std::int64_t k = 0; k < s.depth(); ++k, tap.next(s.window)) {
    const std::int64_t z = dz.at(oz, tap.z), y = dy.at(oy, tap.y);
    if (z < 0 || z >= dz.in || y < 0 || y >= dy.in) continue;
    const double weight = load_wide<T>(weights, k);
    const T* row = image + ((tap.channel * dz.in + z) * dy.in + y) * dx.in;
    const Span span = inside(dx, tap.x);
    for (std::int64_t o = span.begin; o < span.end; ++o)
      sums[o] += weight * static_cast<double>(row[dx.at(o, tap.x)]);
  }
}

template <class T>
void convolve_by_rows(const ConvShape& s, const Work& work) {
  const T* input = static_cast<const T*>(work.in[0].data);
  const View bias = work.in.size() > 2 ? work.in[2] : View{};
  T* output = static_cast<T*>(work.out[0].data);
  const std::int64_t channels = s.groups * s.out_channels;
  const auto row_size = s.window.axes[2].out, rows = s.window.axes[0].out * s.window.axes[1].out;
  work.pool.run(s.images * channels, [&](std::int64_t i, std::size_t) {
    const std::int64_t channel = i % channels, source = i / s.out_channels;  // image and group
    const T* image = input + source * s.in_channels * s.window.in_size();
    const auto* weights = static_cast<const std::byte*>(work.in[1].data) +
                          channel * s.depth() * static_cast<std::int64_t>(sizeof(T));
    const double add = bias_of<T>(bias, channel);
    std::vector<double> sums(static_cast<std::size_t>(row_size));
    for (std::int64_t r = 0; r < rows; ++r) {
      std::fill(sums.begin(), sums.end(), 0.0);
      add_row<T>(s, image, weights, r / s.window.axes[1].out, r % s.window.axes[1].out,
                 sums.data());
      T* to = output + (i * rows + r) * row_size;
      for (std::size_t o = 0; o < sums.size(); ++o) to[o] = static_cast<T>(sums[o] + add);
    }
  });
}

}  // namespace

Compute prepare_conv(const Site& site) {
  const Shape weights = site.input_shape(1);
  ConvShape s;
  s.window = make_window(site, {weights.begin() + 2, weights.end()});
  s.images = site.input_shape(0)[0];
  s.groups = graph::int_attribute(site.node(), "group", 1);
  s.in_channels = weights[1];
  s.out_channels = weights[0] / s.groups;
  return with_real_type(site.input_dtype(0), "Conv", [&]<class T>(T) -> Compute {
    if (s.out_channels < kFewChannels)
      return [s](const Work& work) { convolve_by_rows<T>(s, work); };
    return [s](const Work& work) { convolve_by_product<T>(s, work); };
  });
}

}  // namespace inferometer::reference
