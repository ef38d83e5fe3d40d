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

/// Taps [begin, end) of a window that read inside [0, size). Worked out rather than tried: a
/// hostile kernel may have more taps than could be counted through.
struct Taps {
  std::int64_t begin, end;
};
Taps taps_before(const WindowAxis& axis, std::int64_t output, std::int64_t size) {
  const std::int64_t start = axis.at(output, 0), step = axis.dilation;
  const auto up = [&](std::int64_t v) { return v <= 0 ? 0 : (v - 1) / step + 1; };
  const std::int64_t begin = std::min(up(-start), axis.kernel);
  return {begin, std::clamp(up(size - start), begin, axis.kernel)};
}
Taps taps_inside(const WindowAxis& axis, std::int64_t output) {
  return taps_before(axis, output, axis.in);
}

/// Calls visit(index in the plane) for every tap inside the input, in the order of the kernel.
template <class Visit>
void for_taps(const Window& w, std::int64_t pixel, Visit&& visit) {
  const auto& [dz, dy, dx] = w.axes;
  const std::int64_t oz = pixel / (dy.out * dx.out), oy = pixel / dx.out % dy.out,
                     ox = pixel % dx.out;
  const Taps in_z = taps_inside(dz, oz), in_y = taps_inside(dy, oy), in_x = taps_inside(dx, ox);
  for (std::int64_t kz = in_z.begin; kz < in_z.end; ++kz)
    for (std::int64_t ky = in_y.begin; ky < in_y.end; ++ky)
      for (std::int64_t kx = in_x.begin; kx < in_x.end; ++kx)
        visit((dz.at(oz, kz) * dy.in + dy.at(oy, ky)) * dx.in + dx.at(ox, kx));
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

/// The place of the largest in the plane; -1 when the window sees nothing.
template <class T>
std::int64_t place_of_most(const Window& w, const T* from, std::int64_t pixel) {
  std::int64_t place = -1;
  for_taps(w, pixel, [&](std::int64_t i) {
    // NaN is kept, and of equals the first.
    if (place < 0 || widen(from[i]) > widen(from[place]) || widen(from[i]) != widen(from[i]))
      place = i;
  });
  return place;
}

template <class T>
T most(const Window& w, const T* from, std::int64_t pixel) {
  const std::int64_t place = place_of_most(w, from, pixel);
  return place < 0 ? lowest<T>() : from[place];
}

/// MaxPool's second output: places counted through the whole tensor, the planes' columns first when
/// `by_column`.
template <class T>
void find_places(const Window& w, const Work& work, bool by_column) {
  const auto& [dz, dy, dx] = w.axes;
  auto* to = static_cast<std::int64_t*>(work.out[1].data);
  for (std::int64_t i = 0; i < work.out[1].shape.elements(); ++i) {
    const std::int64_t plane = i / w.out_size();
    const T* from = static_cast<const T*>(work.in[0].data) + plane * w.in_size();
    std::int64_t place = std::max<std::int64_t>(0, place_of_most(w, from, i % w.out_size()));
    if (by_column) {
      const std::int64_t z = place / (dy.in * dx.in), y = place / dx.in % dy.in, x = place % dx.in;
      place = z + y * dz.in + x * dz.in * dy.in;
    }
    to[i] = plane * w.in_size() + place;
  }
}

// Taps that the average counts with count_include_pad: those inside the padded input. With
// ceil_mode a window may reach beyond even that.
std::int64_t padded_taps(const Window& w, std::int64_t pixel) {
  const auto& [dz, dy, dx] = w.axes;
  const std::int64_t at[3] = {pixel / (dy.out * dx.out), pixel / dx.out % dy.out, pixel % dx.out};
  std::int64_t count = 1;
  for (std::size_t i = 0; i < 3; ++i)
    count *= taps_before(w.axes[i], at[i], w.axes[i].in + w.pad_end[i]).end;
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
  const Window w = kernel_window(site);
  Compute values = max_of(site, w);
  if (!site.has_output(1)) return values;
  const bool by_column = graph::int_attribute(site.node(), "storage_order", 0) != 0;
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [w, values, by_column](const Work& work) {
      values(work);
      find_places<T>(w, work, by_column);
    };
  });
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
