// SPDX-License-Identifier: Apache-2.0
// Transposed convolution: every input pixel spreads over the window that it would be seen from.
// Sums are added in the order channel, tap of the kernel, pixel.
#include <vector>

#include "graph/window.hpp"
#include "kernel.hpp"
#include "number.hpp"
#include "window.hpp"

namespace inferometer::reference {
namespace {

struct Spread {
  Window window;  ///< `in` and `out` as they are here: in is spread, out is written
  std::int64_t images = 0, groups = 1;
  std::int64_t in_channels = 0, out_channels = 0;  ///< of one group
};

Spread make_spread(const Site& site) {
  const Shape in = site.input_shape(0), weight = site.input_shape(1), out = site.output_shape(0);
  const std::size_t rank = in.rank() - 2;
  if (rank > 3) site.refuse("only 1 to 3 spatial axes are done");
  auto asked = graph::read_transposed_window(site.node(), {weight.begin() + 2, weight.end()});
  Spread spread;
  for (std::size_t i = 0; i < rank; ++i) {
    graph::transposed_output(site.node(), asked, i, {in[i + 2], ""});
    spread.window.axes[3 - rank + i] = {in[i + 2],        out[i + 2],         asked.kernel[i],
                                        asked.strides[i], asked.dilations[i], asked.pads_begin[i]};
  }
  spread.images = in[0];
  spread.groups = graph::int_attribute(site.node(), "group", 1);
  spread.in_channels = in[1] / spread.groups;
  spread.out_channels = weight[1];
  return spread;
}

/// Adds one channel of the input to a plane of sums.
template <class T>
void spread_channel(const Window& w, const T* from, const T* weights, double* sums) {
  const auto& [dz, dy, dx] = w.axes;
  for (std::int64_t tap = 0; tap < w.kernel_size(); ++tap) {
    const auto weight = static_cast<double>(weights[tap]);
    const std::int64_t kz = tap / (dy.kernel * dx.kernel), ky = tap / dx.kernel % dy.kernel,
                       kx = tap % dx.kernel;
    for (std::int64_t i = 0; i < w.in_size(); ++i) {
      const std::int64_t z = dz.at(i / (dy.in * dx.in), kz), y = dy.at(i / dx.in % dy.in, ky),
                         x = dx.at(i % dx.in, kx);
      if (z < 0 || z >= dz.out || y < 0 || y >= dy.out || x < 0 || x >= dx.out) continue;
      sums[(z * dy.out + y) * dx.out + x] += weight * static_cast<double>(from[i]);
    }
  }
}

template <class T>
void spread_plane(const Spread& s, const Work& work, std::int64_t plane) {
  const std::int64_t channel = plane % (s.groups * s.out_channels),
                     image = plane / (s.groups * s.out_channels), group = channel / s.out_channels;
  const bool biased = work.in.size() > 2 && work.in[2].data != nullptr;
  const double bias =
      biased ? static_cast<double>(static_cast<const T*>(work.in[2].data)[channel]) : 0.0;
  std::vector<double> sums(static_cast<std::size_t>(s.window.out_size()), bias);
  for (std::int64_t c = 0; c < s.in_channels; ++c) {
    const std::int64_t in_channel = group * s.in_channels + c;
    const T* from = static_cast<const T*>(work.in[0].data) +
                    (image * s.groups * s.in_channels + in_channel) * s.window.in_size();
    const T* weights =
        static_cast<const T*>(work.in[1].data) +
        (in_channel * s.out_channels + channel % s.out_channels) * s.window.kernel_size();
    spread_channel(s.window, from, weights, sums.data());
  }
  T* to = static_cast<T*>(work.out[0].data) + plane * s.window.out_size();
  for (const double sum : sums) *to++ = static_cast<T>(sum);
}

}  // namespace

Compute prepare_conv_transpose(const Site& site) {
  const Spread spread = make_spread(site);
  const std::int64_t planes = spread.images * spread.groups * spread.out_channels;
  return with_real_type(site.input_dtype(0), "ConvTranspose", [&]<class T>(T) -> Compute {
    return [=](const Work& work) {
      work.pool.run(planes,
                    [&](std::int64_t plane, std::size_t) { spread_plane<T>(spread, work, plane); });
    };
  });
}

}  // namespace inferometer::reference
