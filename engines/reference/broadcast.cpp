// SPDX-License-Identifier: Apache-2.0
// Operators on several broadcast operands.
#include "broadcast.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "graph/elements.hpp"
#include "graph/scalar.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

Steps steps_of(const Shape& operand, const Shape& out) {
  Steps steps{};
  std::int64_t step = 1;
  for (std::size_t i = operand.rank(); i-- > 0;) {
    steps[out.rank() - operand.rank() + i] = operand[i] == 1 ? 0 : step;
    step *= operand[i];
  }
  return steps;
}

}  // namespace

std::int64_t Broadcast::start(std::size_t operand, std::int64_t row) const {
  std::int64_t start = 0;
  for (std::size_t axis = out.rank() == 0 ? 0 : out.rank() - 1; axis-- > 0;) {
    start += row % out[axis] * operands[operand][axis];
    row /= out[axis];
  }
  return start;
}

std::int64_t Broadcast::step(std::size_t operand) const {
  return out.rank() == 0 ? 0 : operands[operand][out.rank() - 1];
}

void Broadcast::for_rows(Pool& pool,
                         const std::function<void(std::int64_t, std::int64_t)>& body) const {
  const std::int64_t grain = std::max<std::int64_t>(kGrain / std::max<std::int64_t>(size, 1), 1);
  for_ranges(pool, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) body(row, row * size);
  });
}

Broadcast make_broadcast(const Site& site) {
  Broadcast made{.out = site.output_shape(0), .rows = 1, .size = 1, .operands = {}};
  const std::size_t rank = made.out.rank();
  if (rank > 0) {
    made.size = made.out[rank - 1];
    made.rows = made.size == 0 ? 0 : made.out.elements() / made.size;
  }
  for (std::size_t i = 0; i < site.input_count(); ++i)
    made.operands.push_back(steps_of(site.input_shape(i), made.out));
  return made;
}

namespace {

template <class T>
const T* operand(const Work& work, const Broadcast& shape, std::size_t i, std::int64_t row) {
  return static_cast<const T*>(work.in[i].data) + shape.start(i, row);
}

template <class In, class Out, class Function>
Compute pairwise(const Site& site, Function function) {
  return [shape = make_broadcast(site), function](const Work& work) {
    shape.for_rows(work.pool, [&](std::int64_t row, std::int64_t first) {
      const In *a = operand<In>(work, shape, 0, row), *b = operand<In>(work, shape, 1, row);
      const std::int64_t a_step = shape.step(0), b_step = shape.step(1);
      Out* to = static_cast<Out*>(work.out[0].data) + first;
      for (std::int64_t i = 0; i < shape.size; ++i)
        to[i] = narrow<Out>(function(widen(a[i * a_step]), widen(b[i * b_step])));
    });
  };
}

/// Integers are never shared out: only Mean does that, and it takes real numbers.
template <class V>
V shared(V value, double share) {
  if constexpr (std::is_floating_point_v<V>) return value * static_cast<V>(share);
  return value;
}

/// Any number of operands, rounded once at the end; `share`: what the result is multiplied by.
template <class T>
Compute together(const Site& site, graph::BinaryFunction<Wide<T>> function, double share) {
  const std::size_t count = site.input_count();
  return [shape = make_broadcast(site), function, share, count](const Work& work) {
    shape.for_rows(work.pool, [&](std::int64_t row, std::int64_t first) {
      T* to = static_cast<T*>(work.out[0].data) + first;
      for (std::int64_t i = 0; i < shape.size; ++i) {
        auto value = widen(operand<T>(work, shape, 0, row)[i * shape.step(0)]);
        for (std::size_t k = 1; k < count; ++k)
          value = function(value, widen(operand<T>(work, shape, k, row)[i * shape.step(k)]));
        value = shared(value, share);
        to[i] = narrow<T>(value);
      }
    });
  };
}

template <class T>
Compute prepare_arithmetic(const Site& site) {
  const auto function = graph::binary_function<Wide<T>>(site.node());
  if (function == nullptr) site.refuse("dtype " + std::string(to_string(site.input_dtype(0))));
  if (site.input_count() != 2 || site.node().op == "Mean") {
    const bool mean = site.node().op == "Mean";
    return together<T>(site, function, mean ? 1.0 / static_cast<double>(site.input_count()) : 1.0);
  }
  if constexpr (!is_real<T>) {
    if (graph::divides(site.node().op)) {
      return pairwise<T, T>(site, [function](T a, T b) {
        if (b == T{0}) throw Error(Status::PredictFailed, "integer division by zero");
        return function(a, b);
      });
    }
  }
  return pairwise<T, T>(site, function);
}

template <class T>
T integer_power(T base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == T{1}) return base;
    if constexpr (std::is_signed_v<T>)
      if (base == T{-1}) return exponent % 2 == 0 ? T{1} : base;
    return 0;  // 1/base, cut off; and infinity, which no integer is
  }
  std::uint64_t result = 1, square = static_cast<std::uint64_t>(base);
  for (; exponent > 0; exponent /= 2, square *= square)
    if (exponent % 2 != 0) result *= square;
  return static_cast<T>(result);
}

template <class T>
T power(T base, double exponent) {
  if constexpr (is_real<T>)
    return static_cast<T>(std::pow(static_cast<double>(base), exponent));
  else
    return to_integer<T>(std::pow(static_cast<double>(base), exponent));
}

/// Base T, exponents of any dtype: read through `load` as E.
template <class T, class E, class Function>
Compute powers(const Site& site, E (*load)(const void*, std::int64_t), Function function) {
  return [shape = make_broadcast(site), load, function](const Work& work) {
    shape.for_rows(work.pool, [&](std::int64_t row, std::int64_t first) {
      const T* a = operand<T>(work, shape, 0, row);
      const std::int64_t start = shape.start(1, row);
      T* to = static_cast<T*>(work.out[0].data) + first;
      for (std::int64_t i = 0; i < shape.size; ++i)
        to[i] = function(a[i * shape.step(0)], load(work.in[1].data, start + i * shape.step(1)));
    });
  };
}

template <class E>
auto loader(DType dtype) {
  return with_type(dtype, [&]<class From>(From) -> E (*)(const void*, std::int64_t) {
    return [](const void* data, std::int64_t i) {
      return static_cast<E>(widen(static_cast<const From*>(data)[i]));
    };
  });
}

}  // namespace

Compute prepare_binary(const Site& site) {
  for (std::size_t i = 1; i < site.input_count(); ++i)
    if (site.input_dtype(0) != site.input_dtype(i)) site.refuse("inputs of different dtypes");
  return with_type(site.input_dtype(0),
                   [&]<class T>(T) -> Compute { return prepare_arithmetic<T>(site); });
}

Compute prepare_compare(const Site& site) {
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    const auto function = graph::comparison<Wide<T>>(site.node().op);
    if (function == nullptr) site.refuse("dtype " + std::string(to_string(site.input_dtype(0))));
    return pairwise<T, bool>(site, function);
  });
}

Compute prepare_power(const Site& site) {
  const DType exponents = site.input_dtype(1);
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    if constexpr (std::is_same_v<T, bool>) {
      site.refuse("dtype bool");
    } else {
      if constexpr (!is_real<T>)
        if (!graph::is_floating(exponents))
          return powers<T>(site, loader<std::int64_t>(exponents), integer_power<T>);
      return powers<T>(site, loader<double>(exponents), power<T>);
    }
  });
}

Compute prepare_prelu(const Site& site) {
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    if constexpr (std::is_same_v<T, bool>)
      site.refuse("dtype bool");
    else
      return pairwise<T, T>(site, [](Wide<T> x, Wide<T> slope) {
        return x < 0 ? static_cast<Wide<T>>(slope * x) : x;
      });
  });
}

Compute prepare_where(const Site& site) {
  const std::size_t size = size_bytes(site.output_dtype(0));
  return [shape = make_broadcast(site), size](const Work& work) {
    shape.for_rows(work.pool, [&](std::int64_t row, std::int64_t first) {
      const bool* choice = operand<bool>(work, shape, 0, row);
      std::byte* to = static_cast<std::byte*>(work.out[0].data) + first * std::int64_t(size);
      for (std::int64_t i = 0; i < shape.size; ++i, to += size) {
        const std::size_t k = choice[i * shape.step(0)] ? 1 : 2;
        const std::int64_t at = shape.start(k, row) + i * shape.step(k);
        std::memcpy(to, static_cast<const std::byte*>(work.in[k].data) + at * std::int64_t(size),
                    size);
      }
    });
  };
}

}  // namespace inferometer::reference
