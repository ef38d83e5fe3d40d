// SPDX-License-Identifier: Apache-2.0
// Reductions. Reals accumulate in double; integers in their own type, or in double where the
// operator leaves the integers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "graph/geometry.hpp"
#include "graph/scalar.hpp"
#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

/// Walks some axes of a tensor.
struct Axes {
  std::vector<std::int64_t> sizes, steps;

  std::int64_t count() const {
    std::int64_t product = 1;
    for (const auto size : sizes) product *= size;
    return product;
  }
  std::int64_t offset(std::int64_t i) const {
    std::int64_t at = 0;
    for (std::size_t axis = sizes.size(); axis-- > 0;) {
      at += i % sizes[axis] * steps[axis];
      i /= sizes[axis];
    }
    return at;
  }
  /// Calls visit(offset) for every element, in order.
  template <class Visit>
  void each(Visit visit) const {
    std::vector<std::int64_t> index(sizes.size(), 0);
    std::int64_t at = 0;
    for (std::int64_t left = count(); left > 0; --left) {
      visit(at);
      for (std::size_t axis = sizes.size(); axis-- > 0;) {
        at += steps[axis];
        if (++index[axis] < sizes[axis]) break;
        at -= steps[axis] * sizes[axis];
        index[axis] = 0;
      }
    }
  }
};

struct ReducePlan {
  Axes kept, reduced;
};

ReducePlan make_plan_of(const Site& site) {
  const Shape in = site.input_shape(0);
  const auto reduction = graph::read_reduction(site.view(), in.rank());
  if (!reduction) site.refuse("axes that aren't constant");
  const auto steps = graph::steps_of({in.begin(), in.end()});
  ReducePlan plan;
  for (std::size_t i = 0; i < in.rank(); ++i) {
    auto& axes = reduction->reduced[i] ? plan.reduced : plan.kept;
    axes.sizes.push_back(in[i]);
    axes.steps.push_back(steps[i]);
  }
  return plan;
}

template <class A>
struct Reducer {
  A start;
  A (*add)(A total, A value);
};

template <class A>
A sum_of(A a, A b) {
  if constexpr (std::is_floating_point_v<A>)
    return a + b;
  else
    return static_cast<A>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class A>
A product_of(A a, A b) {
  if constexpr (std::is_floating_point_v<A>)
    return a * b;
  else
    return static_cast<A>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

template <class A>
Reducer<A> reducer_of(std::string_view op) {
  using Limits = std::numeric_limits<A>;
  const bool real = std::is_floating_point_v<A>;
  if (op == "ReduceMax") return {real ? -Limits::infinity() : Limits::lowest(), graph::larger<A>};
  if (op == "ReduceMin") return {real ? Limits::infinity() : Limits::max(), graph::smaller<A>};
  if constexpr (!std::is_same_v<A, bool>) {
    if (op == "ReduceProd") return {A{1}, product_of<A>};
    if (op == "ReduceL1")
      return {A{0}, [](A total, A x) {
                return sum_of(total, x < A{0} ? static_cast<A>(product_of(x, A(-1))) : x);
              }};
    if (op == "ReduceL2" || op == "ReduceSumSquare")
      return {A{0}, [](A total, A x) { return sum_of(total, product_of(x, x)); }};
    return {A{0}, sum_of<A>};  // ReduceSum, ReduceMean, ReduceLogSum
  }
  return {};
}

double finish(std::string_view op, double total, std::int64_t count) {
  if (op == "ReduceMean") return total / static_cast<double>(count);
  if (op == "ReduceL2") return std::sqrt(total);
  if (op == "ReduceLogSum") return std::log(total);
  return total;
}

template <class T>
T rounded(double value) {
  if constexpr (is_real<T>)
    return static_cast<T>(value);
  else
    return to_integer<T>(value);
}

/// With the largest taken out, so that no power overflows.
template <class T>
double log_sum_exp(const Axes& reduced, const T* from) {
  double most = -HUGE_VAL, total = 0;
  reduced.each([&](std::int64_t i) { most = std::max(most, static_cast<double>(from[i])); });
  if (std::isinf(most)) return most;
  reduced.each([&](std::int64_t i) { total += std::exp(static_cast<double>(from[i]) - most); });
  return most + std::log(total);
}

template <class T, class Body>
Compute for_each_output(const ReducePlan& plan, Body body) {
  return [plan, body](const Work& work) {
    const T* from = static_cast<const T*>(work.in[0].data);
    T* to = static_cast<T*>(work.out[0].data);
    for_ranges(work.pool, plan.kept.count(), 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        to[i] = body(plan.reduced, from + plan.kept.offset(i));
    });
  };
}

template <class T>
Compute reduce_in_double(const ReducePlan& plan, const std::string& op) {
  const auto reducer = reducer_of<double>(op);
  const auto count = plan.reduced.count();
  return for_each_output<T>(plan, [=](const Axes& reduced, const T* from) {
    double total = reducer.start;
    reduced.each([&](std::int64_t i) { total = reducer.add(total, static_cast<double>(from[i])); });
    return rounded<T>(finish(op, total, count));
  });
}

template <class T>
Compute reduce_exactly(const ReducePlan& plan, const std::string& op) {
  const auto reducer = reducer_of<T>(op);
  return for_each_output<T>(plan, [=](const Axes& reduced, const T* from) {
    T total = reducer.start;
    reduced.each([&](std::int64_t i) { total = reducer.add(total, from[i]); });
    return total;
  });
}

template <class T>
Compute prepare_reduce_of(const Site& site) {
  const auto plan = make_plan_of(site);
  const std::string op = site.node().op;
  if constexpr (std::is_same_v<T, bool>) {
    if (op != "ReduceMax" && op != "ReduceMin") site.refuse("dtype bool");
    return reduce_exactly<T>(plan, op);
  } else {
    if (op == "ReduceLogSumExp")
      return for_each_output<T>(plan, [](const Axes& reduced, const T* from) {
        return rounded<T>(log_sum_exp(reduced, from));
      });
    if constexpr (!is_real<T>)
      if (op != "ReduceMean" && op != "ReduceL2" && op != "ReduceLogSum")
        return reduce_exactly<T>(plan, op);
    return reduce_in_double<T>(plan, op);
  }
}

struct ArgPlan {
  std::int64_t outer, count, step;
  bool most, last;
};

template <class T>
std::int64_t best_of(const ArgPlan& plan, const T* from) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < plan.count; ++i) {
    const auto now = widen(from[i * plan.step]), old = widen(from[best * plan.step]);
    const bool better = plan.most ? now > old : now < old;
    if (better || (plan.last && now == old)) best = i;
  }
  return best;
}

}  // namespace

Compute prepare_reduce(const Site& site) {
  return with_type(site.input_dtype(0),
                   [&]<class T>(T) -> Compute { return prepare_reduce_of<T>(site); });
}

Compute prepare_arg_reduce(const Site& site) {
  const Shape in = site.input_shape(0);
  const std::size_t axis = site.axis(0, in.rank());
  ArgPlan plan{.outer = 1,
               .count = in[axis],
               .step = 1,
               .most = site.node().op == "ArgMax",
               .last = graph::int_attribute(site.node(), "select_last_index", 0) != 0};
  for (std::size_t i = 0; i < axis; ++i) plan.outer *= in[i];
  for (std::size_t i = axis + 1; i < in.rank(); ++i) plan.step *= in[i];
  return with_type(site.input_dtype(0), [&]<class T>(T) -> Compute {
    return [plan](const Work& work) {
      auto* to = static_cast<std::int64_t*>(work.out[0].data);
      for (std::int64_t i = 0; i < plan.outer * plan.step; ++i)
        to[i] = best_of(plan, static_cast<const T*>(work.in[0].data) +
                                  i / plan.step * plan.count * plan.step + i % plan.step);
    };
  });
}

}  // namespace inferometer::reference
