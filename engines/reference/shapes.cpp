// SPDX-License-Identifier: Apache-2.0
// Operators that make, cut and pad tensors, and those that look at shapes.
#include <algorithm>
#include <cstring>
#include <vector>

#include "graph/geometry.hpp"
#include "graph/scalar.hpp"
#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

std::vector<std::int64_t> sizes_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

/// Elements of the axes begin..end-1.
std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t result = 1;
  for (std::size_t i = begin; i < end; ++i) result *= shape[i];
  return result;
}

void copy(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void split(const Work& work, std::size_t axis) {
  const Shape& whole = work.in[0].shape;
  const std::size_t size = size_bytes(work.in[0].dtype);
  const auto outer = product(whole, 0, axis);
  const std::byte* from = static_cast<const std::byte*>(work.in[0].data);
  for (std::int64_t i = 0; i < outer; ++i) {
    for (const View& out : work.out) {
      const auto run = static_cast<std::size_t>(product(out.shape, axis, out.shape.rank())) * size;
      if (out.data != nullptr)
        copy(static_cast<std::byte*>(out.data) + static_cast<std::size_t>(i) * run, from, run);
      from += run;
    }
  }
}

/// Where each place of a padded axis comes from: an index, or -1 for the constant.
std::vector<std::int64_t> sources(graph::PadMode mode, std::int64_t begin, std::int64_t in,
                                  std::int64_t out) {
  std::vector<std::int64_t> from;
  const auto wrapped = [](std::int64_t i, std::int64_t period) {
    return (i % period + period) % period;
  };
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t i = o - begin;
    if (i >= 0 && i < in) {
      from.push_back(i);
    } else if (mode == graph::PadMode::Constant || in == 0) {
      from.push_back(-1);
    } else if (mode == graph::PadMode::Edge || in == 1) {
      from.push_back(std::clamp<std::int64_t>(i, 0, in - 1));
    } else if (mode == graph::PadMode::Wrap) {
      from.push_back(wrapped(i, in));
    } else {
      const std::int64_t there = wrapped(i, 2 * (in - 1));
      from.push_back(std::min(there, 2 * (in - 1) - there));
    }
  }
  return from;
}

struct PadPlan {
  std::vector<std::vector<std::int64_t>> from;  ///< by axis
  std::vector<std::int64_t> in_steps;
  std::size_t size = 0;

  /// The element that a place of the output comes from; -1 for the constant.
  std::int64_t source(const Shape& out, std::int64_t place) const {
    std::int64_t element = 0;
    for (std::size_t axis = out.rank(); axis-- > 0;) {
      const auto there = from[axis][static_cast<std::size_t>(place % out[axis])];
      if (there < 0) return -1;
      element += there * in_steps[axis];
      place /= out[axis];
    }
    return element;
  }
};

void pad(const Work& work, const PadPlan& plan, const std::byte* value) {
  const Shape& out = work.out[0].shape;
  const auto* from = static_cast<const std::byte*>(work.in[0].data);
  auto* to = static_cast<std::byte*>(work.out[0].data);
  const auto size = static_cast<std::int64_t>(plan.size);
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    const auto source = plan.source(out, i);
    std::memcpy(to + i * size, source < 0 ? value : from + source * size, plan.size);
  }
}

/// The bytes of an element of the dtype.
std::vector<std::byte> element_bytes(DType dtype, double value) {
  return with_type(dtype, [&]<class T>(T) {
    const T element = static_cast<T>(static_cast<Wide<T>>(value));
    std::vector<std::byte> bytes(sizeof(T));
    std::memcpy(bytes.data(), &element, sizeof(T));
    return bytes;
  });
}

template <class T>
void triangle(const Work& work, bool upper, std::int64_t k) {
  const Shape& shape = work.in[0].shape;
  const std::int64_t columns = shape[shape.rank() - 1], rows = shape[shape.rank() - 2];
  const T* from = static_cast<const T*>(work.in[0].data);
  T* to = static_cast<T*>(work.out[0].data);
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    const std::int64_t distance = i % columns - i / columns % rows;
    to[i] = (upper ? distance >= k : distance <= k) ? from[i] : T{};
  }
}

struct CumSumPlan {
  std::int64_t outer, count, step;
  bool exclusive, reverse;
};

template <class T>
void cum_sum(const Work& work, const CumSumPlan& plan) {
  const auto add = [](Wide<T> a, Wide<T> b) {
    if constexpr (is_real<T>)
      return a + b;
    else
      return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  };
  for (std::int64_t i = 0; i < plan.outer * plan.step; ++i) {
    const std::int64_t start = i / plan.step * plan.count * plan.step + i % plan.step;
    const T* from = static_cast<const T*>(work.in[0].data) + start;
    T* to = static_cast<T*>(work.out[0].data) + start;
    Wide<T> total{};
    for (std::int64_t k = 0; k < plan.count; ++k) {
      const std::int64_t at = (plan.reverse ? plan.count - 1 - k : k) * plan.step;
      const auto next = add(total, widen(from[at]));
      to[at] = narrow<T>(plan.exclusive ? total : next);
      total = next;
    }
  }
}

}  // namespace

Compute prepare_split(const Site& site) {
  const Shape whole = site.input_shape(0);
  const std::size_t axis = site.axis(0, whole.rank());
  for (std::size_t i = 0; i < site.node().outputs.size(); ++i)
    if (!site.has_output(i)) site.refuse("an output that is left out");
  return [axis](const Work& work) { split(work, axis); };
}

Compute prepare_pad(const Site& site) {
  const Shape in = site.input_shape(0), out = site.output_shape(0);
  const auto padding = graph::read_padding(site.view(), in.rank());
  if (!padding) site.refuse("pads or axes that aren't constant");
  PadPlan plan{.from = {},
               .in_steps = graph::steps_of(sizes_of(in)),
               .size = size_bytes(site.input_dtype(0))};
  for (std::size_t i = 0; i < in.rank(); ++i)
    plan.from.push_back(sources(padding->mode, padding->begin[i], in[i], out[i]));
  const auto fallback = element_bytes(
      site.input_dtype(0), static_cast<double>(graph::float_attribute(site.node(), "value", 0.0F)));
  return [plan, fallback](const Work& work) {
    const bool given = work.in.size() > 2 && work.in[2].data != nullptr;
    pad(work, plan, given ? static_cast<const std::byte*>(work.in[2].data) : fallback.data());
  };
}

Compute prepare_shape_of(const Site& site) {
  const Shape in = site.input_shape(0);
  const auto rank = static_cast<std::int64_t>(in.rank());
  const auto start = graph::int_attribute(site.node(), "start", 0);
  const auto first = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
  return [in, first](const Work& work) {
    auto* to = static_cast<std::int64_t*>(work.out[0].data);
    for (std::int64_t i = 0; i < work.out[0].shape.elements(); ++i)
      to[i] = in[static_cast<std::size_t>(first + i)];
  };
}

Compute prepare_size_of(const Site& site) {
  const std::int64_t elements = site.input_shape(0).elements();
  return [elements](const Work& work) { *static_cast<std::int64_t*>(work.out[0].data) = elements; };
}

Compute prepare_range(const Site& site) {
  return with_type(site.output_dtype(0), [&]<class T>(T) -> Compute {
    return [](const Work& work) {
      const auto start = widen(*static_cast<const T*>(work.in[0].data));
      const auto step = widen(*static_cast<const T*>(work.in[2].data));
      T* to = static_cast<T*>(work.out[0].data);
      for (std::int64_t i = 0; i < work.out[0].shape.elements(); ++i)
        to[i] = narrow<T>(graph::range_element(start, step, i));
    };
  });
}

Compute prepare_fill(const Site& site) {
  auto value = element_bytes(site.output_dtype(0), 0);
  const auto given = site.node().attributes.find("value");
  if (given != site.node().attributes.end()) {
    const auto bytes = std::get<graph::Constant>(given->second).bytes;
    value.assign(bytes.begin(), bytes.end());
  }
  return [value](const Work& work) {
    auto* to = static_cast<std::byte*>(work.out[0].data);
    for (std::int64_t i = work.out[0].shape.elements(); i > 0; --i, to += value.size())
      std::memcpy(to, value.data(), value.size());
  };
}

Compute prepare_trilu(const Site& site) {
  const bool upper = graph::int_attribute(site.node(), "upper", 1) != 0;
  std::int64_t k = 0;
  if (site.has_input(1)) k = site.input_integers(1).at(0);
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [=](const Work& work) { triangle<T>(work, upper, k); };
  });
}

Compute prepare_cum_sum(const Site& site) {
  const Shape shape = site.input_shape(0);
  const std::size_t axis = site.view().axis(site.input_integers(1).at(0), shape.rank());
  const CumSumPlan plan{.outer = product(shape, 0, axis),
                        .count = shape[axis],
                        .step = product(shape, axis + 1, shape.rank()),
                        .exclusive = graph::int_attribute(site.node(), "exclusive", 0) != 0,
                        .reverse = graph::int_attribute(site.node(), "reverse", 0) != 0};
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [plan](const Work& work) { cum_sum<T>(work, plan); };
  });
}

Compute prepare_dropout(const Site& site) {
  if (site.has_input(2) && site.input_integers(2).at(0) != 0) site.refuse("training_mode");
  const auto keep =
      site.has_output(1) ? element_bytes(site.output_dtype(1), 1) : std::vector<std::byte>();
  return [keep](const Work& work) {
    copy(static_cast<std::byte*>(work.out[0].data), static_cast<const std::byte*>(work.in[0].data),
         work.out[0].size_bytes());
    if (keep.empty()) return;
    auto* to = static_cast<std::byte*>(work.out[1].data);
    for (std::int64_t i = work.out[1].shape.elements(); i > 0; --i, to += keep.size())
      std::memcpy(to, keep.data(), keep.size());
  };
}

}  // namespace inferometer::reference
