// SPDX-License-Identifier: Apache-2.0
// Normalisations: by given statistics, by those of a group or a layer, across channels, and the
// softmax family.
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

/// The rows or columns that the softmax family works on: elements base[i * step].
struct Fibres {
  std::int64_t outer, count, step;

  std::int64_t start(std::int64_t i) const { return i / step * count * step + i % step; }
};

Fibres fibres_of(const Site& site) {
  const Shape shape = site.input_shape(0);
  const bool flattens = site.opset() < 13;  // then everything from `axis` on is one row
  const std::size_t rank = shape.rank(), axis = site.axis(flattens ? 1 : -1, rank);
  if (rank == 0) return {1, 1, 1};
  return {product(shape, 0, axis), flattens ? product(shape, axis, rank) : shape[axis],
          flattens ? 1 : product(shape, axis + 1, rank)};
}

template <class T>
void softmax(const T* in, T* out, std::int64_t count, std::int64_t step, bool logarithm) {
  double most = -HUGE_VAL, total = 0;
  for (std::int64_t i = 0; i < count; ++i) most = std::max(most, static_cast<double>(in[i * step]));
  std::vector<double> powers(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    auto& power = powers[static_cast<std::size_t>(i)];
    power = std::exp(static_cast<double>(in[i * step]) - most);
    total += power;
  }
  for (std::int64_t i = 0; i < count; ++i)
    out[i * step] = logarithm
                        ? static_cast<T>(static_cast<double>(in[i * step]) - most - std::log(total))
                        : static_cast<T>(powers[static_cast<std::size_t>(i)] / total);
}

template <class T>
void hardmax(const T* in, T* out, std::int64_t count, std::int64_t step) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < count; ++i)
    if (static_cast<double>(in[i * step]) > static_cast<double>(in[best * step])) best = i;
  for (std::int64_t i = 0; i < count; ++i) out[i * step] = static_cast<T>(i == best ? 1.0 : 0.0);
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
  const std::size_t rank = shape.rank();
  const bool by_place = graph::int_attribute(site.node(), "spatial", 1) == 0;
  const std::size_t last = by_place ? rank : std::min<std::size_t>(2, rank);
  const std::int64_t channels = rank > 1 ? product(shape, 1, last) : 1;
  const std::int64_t plane = product(shape, last, rank);
  const auto epsilon = static_cast<double>(graph::float_attribute(site.node(), "epsilon", 1e-5F));
  return with_real_type(site.input_dtype(0), "BatchNormalization", [&]<class T>(T) -> Compute {
    return [=](const Work& work) { normalize<T>(work, channels, plane, epsilon); };
  });
}

Compute prepare_softmax(const Site& site) {
  const Fibres fibres = fibres_of(site);
  const bool logarithm = site.node().op == "LogSoftmax";
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return [=](const Work& work) {
      for_ranges(work.pool, fibres.outer * fibres.step, 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i)
                     softmax(static_cast<const T*>(work.in[0].data) + fibres.start(i),
                             static_cast<T*>(work.out[0].data) + fibres.start(i), fibres.count,
                             fibres.step, logarithm);
                 });
    };
  });
}

Compute prepare_hardmax(const Site& site) {
  const Fibres fibres = fibres_of(site);
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return [=](const Work& work) {
      for (std::int64_t i = 0; i < fibres.outer * fibres.step; ++i)
        hardmax(static_cast<const T*>(work.in[0].data) + fibres.start(i),
                static_cast<T*>(work.out[0].data) + fibres.start(i), fibres.count, fibres.step);
    };
  });
}

namespace {

struct Moments {
  double mean = 0, inverse_deviation = 0;
};

/// Without `centred`, the mean is taken as 0.
template <class T>
Moments moments(const T* from, std::int64_t count, double epsilon, bool centred) {
  Moments found;
  double squares = 0;
  for (std::int64_t i = 0; centred && i < count; ++i) found.mean += static_cast<double>(from[i]);
  found.mean /= static_cast<double>(std::max<std::int64_t>(count, 1));
  for (std::int64_t i = 0; i < count; ++i) {
    const double distance = static_cast<double>(from[i]) - found.mean;
    squares += distance * distance;
  }
  found.inverse_deviation = 1 / std::sqrt(squares / static_cast<double>(count) + epsilon);
  return found;
}

double epsilon_of(const Site& site) {
  return static_cast<double>(graph::float_attribute(site.node(), "epsilon", 1e-5F));
}

/// Channels in groups; scale and bias by channel, or by group in old opsets.
struct GroupPlan {
  std::int64_t images, channels, groups, plane;
  bool by_group;
  double epsilon;

  std::int64_t size() const { return channels / groups * plane; }
};

template <class T>
void normalize_groups(const GroupPlan& p, const Work& work) {
  const auto* scale = static_cast<const T*>(work.in[1].data);
  const auto* bias = static_cast<const T*>(work.in[2].data);
  for_ranges(work.pool, p.images * p.groups, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* from = static_cast<const T*>(work.in[0].data) + i * p.size();
      T* to = static_cast<T*>(work.out[0].data) + i * p.size();
      const auto found = moments(from, p.size(), p.epsilon, true);
      for (std::int64_t k = 0; k < p.size(); ++k) {
        const std::int64_t group = i % p.groups;
        const std::int64_t at = p.by_group ? group : group * (p.channels / p.groups) + k / p.plane;
        to[k] = static_cast<T>((static_cast<double>(from[k]) - found.mean) *
                                   found.inverse_deviation * static_cast<double>(scale[at]) +
                               static_cast<double>(bias[at]));
      }
    }
  });
}

/// Which element of a broadcast scale or bias belongs to each place of the normalised axes.
std::vector<std::int64_t> places_of(const Shape& operand, const Shape& whole, std::size_t axis) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < product(whole, axis, whole.rank()); ++i) {
    std::int64_t rest = i, step = 1, at = 0;
    for (std::size_t k = 0; k < operand.rank(); ++k) {
      const std::int64_t size = operand[operand.rank() - 1 - k];
      const std::int64_t out = whole[whole.rank() - 1 - k];
      if (size != 1) at += rest % out * step;
      rest /= out;
      step *= size;
    }
    places.push_back(at);
  }
  return places;
}

struct LayerPlan {
  std::int64_t rows, size;
  std::vector<std::int64_t> scale, bias;  ///< places; bias is empty when there is none
  bool centred;
  double epsilon;
};

void store_statistic(const Work& work, std::size_t output, std::int64_t row, double value) {
  if (output >= work.out.size() || work.out[output].data == nullptr) return;
  with_real_type(work.out[output].dtype, "a statistic", [&]<class S>(S) {
    static_cast<S*>(work.out[output].data)[row] = static_cast<S>(value);
  });
}

template <class T>
void normalize_row(const LayerPlan& p, const Work& work, std::int64_t row) {
  const T* from = static_cast<const T*>(work.in[0].data) + row * p.size;
  T* to = static_cast<T*>(work.out[0].data) + row * p.size;
  const auto found = moments(from, p.size, p.epsilon, p.centred);
  for (std::int64_t i = 0; i < p.size; ++i) {
    const auto at = static_cast<std::size_t>(i);
    double value = (static_cast<double>(from[i]) - found.mean) * found.inverse_deviation *
                   static_cast<double>(static_cast<const T*>(work.in[1].data)[p.scale[at]]);
    if (!p.bias.empty())
      value += static_cast<double>(static_cast<const T*>(work.in[2].data)[p.bias[at]]);
    to[i] = static_cast<T>(value);
  }
  store_statistic(work, 1, row, found.mean);
  store_statistic(work, 2, row, found.inverse_deviation);
}

struct LrnPlan {
  std::int64_t channels, plane, size;
  double alpha, beta, bias;
};

template <class T>
void local_response(const LrnPlan& p, const Work& work) {
  const std::int64_t before = (p.size - 1) / 2, after = p.size - 1 - before;
  for_ranges(work.pool, work.in[0].shape.elements(), 256,
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t i = begin; i < end; ++i) {
                 const std::int64_t channel = i / p.plane % p.channels;
                 const std::int64_t first = -std::min(before, channel);
                 const std::int64_t last = std::min(after, p.channels - 1 - channel);
                 const T* from = static_cast<const T*>(work.in[0].data) + i;
                 double squares = 0;
                 for (std::int64_t k = first; k <= last; ++k) {
                   const auto x = static_cast<double>(from[k * p.plane]);
                   squares += x * x;
                 }
                 const double base = p.bias + p.alpha / static_cast<double>(p.size) * squares;
                 static_cast<T*>(work.out[0].data)[i] =
                     static_cast<T>(static_cast<double>(*from) / std::pow(base, p.beta));
               }
             });
}

}  // namespace

Compute prepare_group_norm(const Site& site) {
  const Shape shape = site.input_shape(0);
  const bool instance = site.node().op == "InstanceNormalization";
  const GroupPlan plan{
      .images = shape[0],
      .channels = shape[1],
      .groups = instance ? shape[1] : graph::int_attribute(site.node(), "num_groups", 1),
      .plane = product(shape, 2, shape.rank()),
      .by_group = !instance && site.opset() < 21,
      .epsilon = epsilon_of(site)};
  if (plan.size() == 0) return [](const Work&) {};
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return [plan](const Work& work) { normalize_groups<T>(plan, work); };
  });
}

Compute prepare_layer_norm(const Site& site) {
  const Shape shape = site.input_shape(0);
  const std::size_t axis = site.axis(-1, shape.rank());
  LayerPlan plan{.rows = product(shape, 0, axis),
                 .size = product(shape, axis, shape.rank()),
                 .scale = places_of(site.input_shape(1), shape, axis),
                 .bias = {},
                 .centred = site.node().op == "LayerNormalization",
                 .epsilon = epsilon_of(site)};
  if (site.has_input(2)) plan.bias = places_of(site.input_shape(2), shape, axis);
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return [plan](const Work& work) {
      for_ranges(work.pool, plan.rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) normalize_row<T>(plan, work, row);
      });
    };
  });
}

Compute prepare_lrn(const Site& site) {
  const Shape shape = site.input_shape(0);
  const auto real = [&](const char* name, float fallback) {
    return static_cast<double>(graph::float_attribute(site.node(), name, fallback));
  };
  const LrnPlan plan{.channels = shape[1],
                     .plane = product(shape, 2, shape.rank()),
                     .size = graph::int_attribute(site.node(), "size", 1),
                     .alpha = real("alpha", 1e-4F),
                     .beta = real("beta", 0.75F),
                     .bias = real("bias", 1.0F)};
  return with_real_type(site.input_dtype(0), "LRN", [&]<class T>(T) -> Compute {
    return [plan](const Work& work) { local_response<T>(plan, work); };
  });
}

}  // namespace inferometer::reference
