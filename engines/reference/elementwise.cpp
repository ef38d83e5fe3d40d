// SPDX-License-Identifier: Apache-2.0
// Operators that compute each element alone. Floating dtypes compute in double and round once;
// integers compute in their own type and wrap around as unsigned numbers do.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

template <class T, class Function>
Compute each(Function function) {
  return [function](const Work& work) {
    const T* from = static_cast<const T*>(work.in[0].data);
    T* to = static_cast<T*>(work.out[0].data);
    for_ranges(work.pool, work.in[0].shape.elements(), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i)
                   to[i] = narrow<T>(function(widen(from[i])));
               });
  };
}

using RealFunction = double (*)(double);

RealFunction real_function(std::string_view op) {
  if (op == "Sigmoid") return [](double x) { return 1 / (1 + std::exp(-x)); };
  if (op == "Tanh") return [](double x) { return std::tanh(x); };
  if (op == "Exp") return [](double x) { return std::exp(x); };
  if (op == "Sqrt") return [](double x) { return std::sqrt(x); };
  if (op == "Erf") return [](double x) { return std::erf(x); };
  return nullptr;
}

// Unsigned arithmetic: overflow of a signed number would be undefined.
template <class T>
T negated(T value) {
  return static_cast<T>(0 - static_cast<std::uint64_t>(value));
}

template <class T>
Compute prepare_sign(const Site& site, std::string_view op) {
  if constexpr (std::is_same_v<T, bool>) {
    site.refuse("dtype bool");
  } else {
    if (op == "Relu") return each<T>([](Wide<T> x) { return x < 0 ? Wide<T>{0} : x; });
    if constexpr (is_real<T>) {
      if (op == "Abs") return each<T>([](double x) { return std::abs(x); });
      return each<T>([](double x) { return -x; });
    } else {
      if (op == "Abs") return each<T>([](T x) { return x < 0 ? negated(x) : x; });
      return each<T>([](T x) { return negated(x); });
    }
  }
}

/// How a broadcast operand is walked: elements to step for every axis of the output, 0 = repeated.
using Steps = std::array<std::int64_t, kMaxRank>;

Steps steps_of(const Shape& operand, const Shape& out) {
  Steps steps{};
  std::int64_t step = 1;
  for (std::size_t i = operand.rank(); i-- > 0;) {
    steps[out.rank() - operand.rank() + i] = operand[i] == 1 ? 0 : step;
    step *= operand[i];
  }
  return steps;
}

std::int64_t start_of(const Shape& out, const Steps& steps, std::int64_t row) {
  std::int64_t start = 0;
  for (std::size_t axis = out.rank() - 1; axis-- > 0;) {
    start += row % out[axis] * steps[axis];
    row /= out[axis];
  }
  return start;
}

template <class In, class Out, class Function>
void combine(const Work& work, const Steps& a_steps, const Steps& b_steps, Function function) {
  const Shape& out = work.out[0].shape;
  const In* a = static_cast<const In*>(work.in[0].data);
  const In* b = static_cast<const In*>(work.in[1].data);
  Out* to = static_cast<Out*>(work.out[0].data);
  if (out.rank() == 0) {
    to[0] = narrow<Out>(function(widen(a[0]), widen(b[0])));
    return;
  }
  const std::int64_t size = out[out.rank() - 1], rows = size == 0 ? 0 : out.elements() / size;
  const std::int64_t a_step = a_steps[out.rank() - 1], b_step = b_steps[out.rank() - 1];
  for_ranges(work.pool, rows, std::max<std::int64_t>(kGrain / std::max<std::int64_t>(size, 1), 1),
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t row = begin; row < end; ++row) {
                 const In* x = a + start_of(out, a_steps, row);
                 const In* y = b + start_of(out, b_steps, row);
                 Out* z = to + row * size;
                 for (std::int64_t i = 0; i < size; ++i)
                   z[i] = narrow<Out>(function(widen(x[i * a_step]), widen(y[i * b_step])));
               }
             });
}

template <class T, class Function>
Compute pairwise(const Site& site, Function function) {
  const Shape out = site.output_shape(0);
  const Steps a = steps_of(site.input_shape(0), out), b = steps_of(site.input_shape(1), out);
  return [a, b, function](const Work& work) { combine<T, T>(work, a, b, function); };
}

// NaN wins, as ONNX's numpy reference has it.
template <class W>
W larger(W a, W b) {
  return a != a || a > b ? a : b;
}
template <class W>
W smaller(W a, W b) {
  return a != a || a < b ? a : b;
}

template <class T>
Compute prepare_real(const Site& site, std::string_view op) {
  if (op == "Add") return pairwise<T>(site, [](double a, double b) { return a + b; });
  if (op == "Sub") return pairwise<T>(site, [](double a, double b) { return a - b; });
  if (op == "Mul") return pairwise<T>(site, [](double a, double b) { return a * b; });
  if (op == "Div") return pairwise<T>(site, [](double a, double b) { return a / b; });
  return pairwise<T>(site, [](double a, double b) { return std::pow(a, b); });
}

template <class T>
T divided(T a, T b) {
  if (b == 0) throw Error(Status::PredictFailed, "reference: integer division by zero");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return negated(a);
  return static_cast<T>(a / b);
}

template <class T>
Compute prepare_integer(const Site& site, std::string_view op) {
  using U = std::uint64_t;
  if (op == "Add") return pairwise<T>(site, [](T a, T b) { return static_cast<T>(U(a) + U(b)); });
  if (op == "Sub") return pairwise<T>(site, [](T a, T b) { return static_cast<T>(U(a) - U(b)); });
  if (op == "Mul") return pairwise<T>(site, [](T a, T b) { return static_cast<T>(U(a) * U(b)); });
  if (op == "Div") return pairwise<T>(site, [](T a, T b) { return divided(a, b); });
  site.refuse("dtype " + std::string(to_string(site.input_dtype(0))));
}

template <class T>
Compute prepare_pair(const Site& site, std::string_view op) {
  if constexpr (std::is_same_v<T, bool>) {
    site.refuse("dtype bool");
  } else {
    if (op == "Max") return pairwise<T>(site, larger<Wide<T>>);
    if (op == "Min") return pairwise<T>(site, smaller<Wide<T>>);
    if constexpr (is_real<T>)
      return prepare_real<T>(site, op);
    else
      return prepare_integer<T>(site, op);
  }
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
    each<T>([=](Wide<T> x) { return smaller(larger(x, low), high); })(work);
  };
}

}  // namespace

Compute prepare_unary(const Site& site) {
  const std::string_view op = site.node().op;
  const auto function = real_function(op);
  if (function == nullptr)
    return with_type(site.input_dtype(0), [&]<class T>(T) { return prepare_sign<T>(site, op); });
  return with_real_type(site.input_dtype(0), site.node().op,
                        [&]<class T>(T) { return each<T>(function); });
}

Compute prepare_binary(const Site& site) {
  if (site.input_count() != 2) site.refuse("a number of inputs other than 2");
  if (site.input_dtype(0) != site.input_dtype(1)) site.refuse("inputs of different dtypes");
  return with_type(site.input_dtype(0),
                   [&]<class T>(T) { return prepare_pair<T>(site, site.node().op); });
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
