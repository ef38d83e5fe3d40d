// SPDX-License-Identifier: Apache-2.0
// Operators that compute each element alone. Floating dtypes compute in double and round once;
// integers compute in their own type and wrap around as unsigned numbers do.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "graph/scalar.hpp"
#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

template <class In, class Out, class Function>
Compute each(Function function) {
  return [function](const Work& work) {
    const In* from = static_cast<const In*>(work.in[0].data);
    Out* to = static_cast<Out*>(work.out[0].data);
    for_ranges(work.pool, work.in[0].shape.elements(), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i)
                   to[i] = narrow<Out>(function(widen(from[i])));
               });
  };
}

/// A bound of Clip: from the attribute of old opsets, or a scalar input.
template <class T>
Wide<T> bound(const Work& work, std::size_t input, Wide<T> fallback) {
  if (work.in.size() <= input || work.in[input].data == nullptr) return fallback;
  return widen(*static_cast<const T*>(work.in[input].data));
}

template <class T>
Compute clip(Wide<T> least, Wide<T> most) {
  return [=](const Work& work) {
    const Wide<T> low = bound<T>(work, 1, least), high = bound<T>(work, 2, most);
    each<T, T>([=](Wide<T> x) { return graph::smaller(graph::larger(x, low), high); })(work);
  };
}

[[noreturn]] void refuse_dtype(const Site& site) {
  site.refuse("dtype " + std::string(to_string(site.input_dtype(0))));
}

}  // namespace

Compute prepare_unary(const Site& site) {
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    if constexpr (is_real<T>) {
      // The one that most networks are full of, without a call for each element.
      if (site.node().op == "Relu") return each<T, T>([](double x) { return x < 0 ? 0.0 : x; });
      const auto function = graph::real_function(site.node());
      if (!function) refuse_dtype(site);
      return each<T, T>(*function);
    } else {
      const auto function = graph::integer_function<T>(site.node().op);
      if (function == nullptr) refuse_dtype(site);
      return each<T, T>(function);
    }
  });
}

Compute prepare_is_nan(const Site& site) {
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return each<T, bool>([](double x) { return std::isnan(x); });
  });
}

Compute prepare_is_infinite(const Site& site) {
  const bool below = graph::int_attribute(site.node(), "detect_negative", 1) != 0;
  const bool above = graph::int_attribute(site.node(), "detect_positive", 1) != 0;
  return with_real_type(site.input_dtype(0), site.node().op, [&]<class T>(T) -> Compute {
    return each<T, bool>(
        [=](double x) { return (below && x == -HUGE_VAL) || (above && x == HUGE_VAL); });
  });
}

Compute prepare_clip(const Site& site) {
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    if constexpr (std::is_same_v<T, bool>) {
      site.refuse("dtype bool");
    } else if constexpr (is_real<T>) {
      const auto infinity = std::numeric_limits<float>::infinity();
      const double least =
          static_cast<double>(graph::float_attribute(site.node(), "min", -infinity));
      return clip<T>(least,
                     static_cast<double>(graph::float_attribute(site.node(), "max", infinity)));
    } else {
      return clip<T>(std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max());
    }
  });
}

}  // namespace inferometer::reference
