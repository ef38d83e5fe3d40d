// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool and their global forms.
#include <algorithm>
#include <limits>
#include <vector>

#include "kernel.hpp"
#include "number.hpp"
#include "window.hpp"

namespace inferometer::reference {
namespace {

/// Calls visit(index in the plane) for every tap inside the input, in the order of the kernel.
template <class Visit>
void for_taps(const Window& w, std::int64_t pixel, Visit&& visit) {
  const auto& [dz, dy, dx] = w.axes;
  const std::int64_t oz = pixel / (dy.out * dx.out), oy = pixel / dx.out % dy.out,
                     ox = pixel % dx.out;
  for (std::int64_t kz = 0; kz < dz.kernel; ++kz) {
    const std::int64_t z = dz.at(oz, kz);
    if (z < 0 || z >= dz.in) continue;
    for (std::int64_t ky = 0; ky < dy.kernel; ++ky) {
      const std::int64_t y = dy.at(oy, ky);
      if (y < 0 || y >= dy.in) continue;
      for (std::int64_t kx = 0; kx < dx.kernel; ++kx) {
        const std::int64_t x = dx.at(ox, kx);
        if (x >= 0 && x < dx.in) visit((z * dy.in + y) * dx.in + x);
      }
    }
  }
}

template <class T, class Reduce>
void for_planes(const Window& w, const Work& work, Reduce reduce) {
  const std::int64_t in_size = w.in_size(), out_size = w.out_size();
  const std::int64_t planes = out_size == 0 ? 0 : work.out[0].shape.elements() / out_size;
  for_ranges(work.pool, planes, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* from = static_cast<const T*>(work.in[0].data) + i * in_size;
      T* to = static_cast<T*>(work.out[0].data) + i * out_size;
      for (std::int64_t pixel = 0; pixel < out_size; ++pixel) to[pixel] = reduce(from, pixel);
    }
  });
}

template <class T>
T lowest() {
  if constexpr (is_real<T>)
    return static_cast<T>(-HUGE_VAL);
  else
    return std::numeric_limits<T>::lowest();
}

template <class T>
T most(const Window& w, const T* from, std::int64_t pixel) {
  Wide<T> found = widen(lowest<T>());
  for_taps(w, pixel, [&](std::int64_t i) {
    const auto value = widen(from[i]);
    if (value > found || value != value) found = value;  // NaN is kept
  });
  return narrow<T>(found);
}

// Taps that the average counts with count_include_pad: those inside the padded input. With
// ceil_mode a window may reach beyond even that.
std::int64_t padded_taps(const Window& w, std::int64_t pixel) {
  const auto& [dz, dy, dx] = w.axes;
  const std::int64_t at[3] = {pixel / (dy.out * dx.out), pixel / dx.out % dy.out, pixel % dx.out};
  std::int64_t count = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    std::int64_t inside = 0;
    for (std::int64_t k = 0; k < w.axes[i].kernel; ++k)
      if (w.axes[i].at(at[i], k) < w.axes[i].in + w.pad_end[i]) ++inside;
    count *= inside;
  }
  return count;
}

template <class T>
T mean(const Window& w, bool counts_pad, const T* from, std::int64_t pixel) {
  double total = 0;
  std::int64_t taps = 0;
  for_taps(w, pixel, [&](std::int64_t i) {
    total += static_cast<double>(from[i]);
    ++taps;
  });
  if (counts_pad) taps = padded_taps(w, pixel);
  return static_cast<T>(total / static_cast<double>(taps));
}

Window global_window(const Site& site) {
  const Shape in = site.input_shape(0);
  Window w;
  for (std::size_t axis = 2; axis < in.rank(); ++axis) w.axes[2].in *= in[axis];
  w.axes[2].kernel = w.axes[2].in;
  return w;
}

Window kernel_window(const Site& site) {
  return make_window(site, graph::ints_attribute(site.node(), "kernel_shape", {}));
}

Compute max_of(const Site& site, const Window& w) {
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [w](const Work& work) {
      for_planes<T>(w, work,
                    [&](const T* from, std::int64_t pixel) { return most<T>(w, from, pixel); });
    };
  });
}

Compute mean_of(const Site& site, const Window& w, bool counts_pad) {
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return [w, counts_pad](const Work& work) {
      for_planes<T>(w, work, [&](const T* from, std::int64_t pixel) {
        return mean<T>(w, counts_pad, from, pixel);
      });
    };
  });
}

}  // namespace

Compute prepare_max_pool(const Site& site) {
  if (site.has_output(1)) site.refuse("the output Indices");
  return max_of(site, kernel_window(site));
}

Compute prepare_average_pool(const Site& site) {
  return mean_of(site, kernel_window(site),
                 graph::int_attribute(site.node(), "count_include_pad", 0) != 0);
}

Compute prepare_global_average_pool(const Site& site) {
  return mean_of(site, global_window(site), false);
}

Compute prepare_global_max_pool(const Site& site) {
  return max_of(site, global_window(site));
}

}  // namespace inferometer::reference
