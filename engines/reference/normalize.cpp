// SPDX-License-Identifier: Apache-2.0
// BatchNormalization (inference) and Softmax.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  return std::accumulate(shape.begin() + begin, shape.begin() + end, std::int64_t{1},
                         std::multiplies<>());
}

/// One row or fibre: elements base[i * step].
template <class T>
void softmax(const T* in, T* out, std::int64_t count, std::int64_t step) {
  double most = -HUGE_VAL, total = 0;
  for (std::int64_t i = 0; i < count; ++i) most = std::max(most, static_cast<double>(in[i * step]));
  std::vector<double> powers(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    auto& power = powers[static_cast<std::size_t>(i)];
    power = std::exp(static_cast<double>(in[i * step]) - most);
    total += power;
  }
  for (std::int64_t i = 0; i < count; ++i)
    out[i * step] = static_cast<T>(powers[static_cast<std::size_t>(i)] / total);
}

template <class T>
void normalize(const Work& work, std::int64_t channels, std::int64_t plane, double epsilon) {
  const auto parameter = [&](std::size_t i, std::int64_t channel) {
    return with_real_type(work.in[i].dtype, "BatchNormalization", [&]<class P>(P) {
      return static_cast<double>(static_cast<const P*>(work.in[i].data)[channel]);
    });
  };
  const std::int64_t planes = plane == 0 ? 0 : work.in[0].shape.elements() / plane;
  for_ranges(work.pool, planes, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t c = i % channels;
      const double scale = parameter(1, c) / std::sqrt(parameter(4, c) + epsilon);
      const double shift = parameter(2, c), mean = parameter(3, c);
      const T* from = static_cast<const T*>(work.in[0].data) + i * plane;
      T* to = static_cast<T*>(work.out[0].data) + i * plane;
      for (std::int64_t j = 0; j < plane; ++j)
        to[j] = static_cast<T>((static_cast<double>(from[j]) - mean) * scale + shift);
    }
  });
}

}  // namespace

Compute prepare_batch_norm(const Site& site) {
  if (graph::int_attribute(site.node(), "training_mode", 0) != 0) site.refuse("training_mode=1");
  const Shape shape = site.input_shape(0);
  const std::int64_t channels = shape.rank() > 1 ? shape[1] : 1;
  const std::int64_t plane = product(shape, std::min<std::size_t>(2, shape.rank()), shape.rank());
  const auto epsilon = static_cast<double>(graph::float_attribute(site.node(), "epsilon", 1e-5F));
  return with_real_type(site.input_dtype(0), "BatchNormalization", [&]<class T>(T) -> Compute {
    return [=](const Work& work) { normalize<T>(work, channels, plane, epsilon); };
  });
}

Compute prepare_softmax(const Site& site) {
  const Shape shape = site.input_shape(0);
  const bool flattens = site.opset() < 13;  // then everything from `axis` on is one row
  const std::size_t axis = site.axis(flattens ? 1 : -1, shape.rank());
  const std::int64_t outer = product(shape, 0, axis);
  const std::int64_t step = flattens ? 1 : product(shape, axis + 1, shape.rank());
  const std::int64_t count = flattens ? product(shape, axis, shape.rank()) : shape[axis];
  return with_real_type(site.input_dtype(0), "Softmax", [&]<class T>(T) -> Compute {
    return [=](const Work& work) {
      for_ranges(work.pool, outer * step, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t start = i / step * count * step + i % step;
          softmax(static_cast<const T*>(work.in[0].data) + start,
                  static_cast<T*>(work.out[0].data) + start, count, step);
        }
      });
    };
  });
}

}  // namespace inferometer::reference
