// SPDX-License-Identifier: Apache-2.0
// Putting elements back by index, and finding them: ScatterElements, ScatterND, TopK, OneHot,
// NonZero.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "graph/geometry.hpp"
#include "graph/scalar.hpp"
#include "indices.hpp"
#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

/// What becomes of an element that is written to: it is replaced, or both are combined.
template <class T>
using Combine = T (*)(T old, T update);

template <class T>
Combine<T> combine_of(const Site& site) {
  const auto word = graph::string_attribute(site.node(), "reduction", "none");
  if (word == "none") return [](T, T update) { return update; };
  if constexpr (std::is_same_v<T, bool>) {
    site.refuse("reduction " + word + " of bool");
  } else {
    if (word == "add") {
      return [](T a, T b) {
        if constexpr (is_real<T>)
          return narrow<T>(widen(a) + widen(b));
        else
          return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
      };
    }
    if (word == "mul") {
      return [](T a, T b) {
        if constexpr (is_real<T>)
          return narrow<T>(widen(a) * widen(b));
        else
          return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
      };
    }
    if (word == "max") return [](T a, T b) { return narrow<T>(graph::larger(widen(a), widen(b))); };
    return [](T a, T b) { return narrow<T>(graph::smaller(widen(a), widen(b))); };
  }
}

void copy_data(const Work& work) {
  if (const std::size_t bytes = work.out[0].size_bytes(); bytes > 0)
    std::memcpy(work.out[0].data, work.in[0].data, bytes);
}

template <class T>
void scatter_elements(const Work& work, std::size_t axis, const Indices& indices,
                      Combine<T> combine) {
  copy_data(work);
  const Shape &data = work.in[0].shape, &at = work.in[1].shape;
  const auto steps = graph::steps_of({data.begin(), data.end()});
  const T* updates = static_cast<const T*>(work.in[2].data);
  T* to = static_cast<T*>(work.out[0].data);
  for (std::int64_t i = 0; i < at.elements(); ++i) {
    std::int64_t place = indices.at(work.in[1], i, data[axis]) * steps[axis], rest = i;
    for (std::size_t k = at.rank(); k-- > 0;) {
      if (k != axis) place += rest % at[k] * steps[k];
      rest /= at[k];
    }
    to[place] = combine(to[place], updates[i]);
  }
}

template <class T>
void scatter_nd(const Work& work, const Indices& indices, Combine<T> combine) {
  copy_data(work);
  const Shape &data = work.in[0].shape, &at = work.in[1].shape;
  const std::int64_t depth = at[at.rank() - 1], count = at.elements() / depth;
  std::int64_t run = 1;
  for (auto i = static_cast<std::size_t>(depth); i < data.rank(); ++i) run *= data[i];
  const T* updates = static_cast<const T*>(work.in[2].data);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t place = 0;
    for (std::int64_t k = 0; k < depth; ++k) {
      const std::int64_t size = data[static_cast<std::size_t>(k)];
      place = place * size + indices.at(work.in[1], i * depth + k, size);
    }
    T* to = static_cast<T*>(work.out[0].data) + place * run;
    for (std::int64_t k = 0; k < run; ++k) to[k] = combine(to[k], updates[i * run + k]);
  }
}

struct TopPlan {
  std::int64_t outer = 1, count = 0, step = 1, k = 0;
  bool largest = true;
};

/// Of equals the first: TopK asks for it, and an unsorted result may as well be sorted.
template <class T>
void top_k(const Work& work, const TopPlan& plan) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(plan.count));
  for (std::int64_t i = 0; i < plan.outer * plan.step; ++i) {
    const T* from = static_cast<const T*>(work.in[0].data) +
                    i / plan.step * plan.count * plan.step + i % plan.step;
    const std::int64_t to = i / plan.step * plan.k * plan.step + i % plan.step;
    // NaN is above every number, as in a sort by numpy; a comparison that it breaks would be
    // undefined.
    const auto above = [&](std::int64_t a, std::int64_t b) {
      const auto x = widen(from[a * plan.step]), y = widen(from[b * plan.step]);
      return x > y || (graph::is_nan(x) && !graph::is_nan(y));
    };
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return plan.largest ? above(a, b) : above(b, a);
    });
    for (std::int64_t k = 0; k < plan.k; ++k) {
      const auto place = order[static_cast<std::size_t>(k)];
      if (work.out[0].data != nullptr)
        static_cast<T*>(work.out[0].data)[to + k * plan.step] = from[place * plan.step];
      if (work.out.size() > 1 && work.out[1].data != nullptr)
        static_cast<std::int64_t*>(work.out[1].data)[to + k * plan.step] = place;
    }
  }
}

template <class T>
void one_hot(const Work& work, std::int64_t depth, std::int64_t inner) {
  const auto size = static_cast<std::int64_t>(size_bytes(work.out[0].dtype));
  const T* indices = static_cast<const T*>(work.in[0].data);
  const auto* off = static_cast<const std::byte*>(work.in[2].data);
  auto* to = static_cast<std::byte*>(work.out[0].data);
  const std::int64_t count = work.in[0].shape.elements();
  for (std::int64_t i = 0; i < count / std::max<std::int64_t>(inner, 1) * depth * inner; ++i) {
    const std::int64_t place = i / inner % depth, line = i / inner / depth * inner + i % inner;
    const double given = static_cast<double>(widen(indices[line]));
    const double index = given < 0 ? given + static_cast<double>(depth) : given;
    const bool on = index == static_cast<double>(place);
    std::memcpy(to + i * size, off + (on ? size : 0), static_cast<std::size_t>(size));
  }
}

template <class T>
void non_zero(const Work& work) {
  const Shape& shape = work.in[0].shape;
  const T* from = static_cast<const T*>(work.in[0].data);
  auto* to = static_cast<std::int64_t*>(work.out[0].data);
  const std::int64_t found = work.out[0].shape[1];
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < shape.elements() && next < found; ++i) {
    if (widen(from[i]) == Wide<T>{}) continue;
    std::int64_t rest = i;
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      to[static_cast<std::int64_t>(axis) * found + next] = rest % shape[axis];
      rest /= shape[axis];
    }
    ++next;
  }
}

}  // namespace

Compute prepare_scatter_elements(const Site& site) {
  const std::size_t axis = site.axis(0, site.input_shape(0).rank());
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    const auto combine = combine_of<T>(site);
    return [axis, combine, indices = Indices(site)](const Work& work) {
      scatter_elements<T>(work, axis, indices, combine);
    };
  });
}

Compute prepare_scatter_nd(const Site& site) {
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    const auto combine = combine_of<T>(site);
    return [combine, indices = Indices(site)](const Work& work) {
      scatter_nd<T>(work, indices, combine);
    };
  });
}

Compute prepare_top_k(const Site& site) {
  const Shape in = site.input_shape(0);
  const std::size_t axis = site.axis(-1, in.rank());
  TopPlan plan{.count = in[axis],
               .k = site.output_shape(site.has_output(0) ? 0 : 1)[axis],
               .largest = graph::int_attribute(site.node(), "largest", 1) != 0};
  for (std::size_t i = 0; i < axis; ++i) plan.outer *= in[i];
  for (std::size_t i = axis + 1; i < in.rank(); ++i) plan.step *= in[i];
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [plan](const Work& work) { top_k<T>(work, plan); };
  });
}

Compute prepare_one_hot(const Site& site) {
  const Shape out = site.output_shape(0);
  const std::size_t axis = site.axis(-1, out.rank());
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < out.rank(); ++i) inner *= out[i];
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [depth = out[axis], inner](const Work& work) { one_hot<T>(work, depth, inner); };
  });
}

Compute prepare_non_zero(const Site& site) {
  return with_type(site.input_dtype(0),
                   [&]<class T>(T) -> Compute { return [](const Work& w) { non_zero<T>(w); }; });
}

}  // namespace inferometer::reference
