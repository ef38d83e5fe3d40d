// SPDX-License-Identifier: Apache-2.0
// What elementwise operators do to one element: constant folding and `reference` share it. Reals
// are computed in double and rounded once by the caller; integers in their own type, wrapping
// around.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// f(x) with the node's attributes as two parameters.
struct RealFunction {
  double (*apply)(double x, double a, double b) = nullptr;
  double a = 0, b = 0;

  double operator()(double x) const { return apply(x, a, b); }
};
/// nullopt for an operator that is none of one real number.
std::optional<RealFunction> real_function(const Node& node);

/// -value without the undefined overflow.
template <class T>
T negated(T value) {
  return static_cast<T>(0 - static_cast<std::uint64_t>(value));
}

/// f(x) on integers and bool; nullptr for an operator that isn't defined on them.
template <class T>
using UnaryFunction = T (*)(T);
template <class T>
UnaryFunction<T> integer_function(std::string_view op) {
  if constexpr (std::is_same_v<T, bool>) {
    if (op == "Not") return [](bool x) { return !x; };
  } else {
    if (op == "Relu") return [](T x) { return x < 0 ? T{0} : x; };
    if (op == "Abs") return [](T x) { return x < 0 ? negated(x) : x; };
    if (op == "Neg") return [](T x) { return negated(x); };
    if (op == "Sign") return [](T x) { return static_cast<T>((x > 0) - (x < 0)); };
  }
  return nullptr;
}

/// f(x, y). Reals are double here.
template <class W>
using BinaryFunction = W (*)(W, W);

template <class W>
bool is_nan(W value) {
  if constexpr (std::is_floating_point_v<W>) return std::isnan(value);
  return false;
}

// NaN wins, as ONNX's numpy reference has it.
template <class W>
W larger(W a, W b) {
  return is_nan(a) || a > b ? a : b;
}
template <class W>
W smaller(W a, W b) {
  return is_nan(a) || a < b ? a : b;
}

/// Integers only: b must not be 0.
template <class T>
T quotient(T a, T b) {
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return negated(a);
  }
  return static_cast<T>(a / b);
}
/// With the sign of b (Mod without fmod).
template <class T>
T modulo(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    const T rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  } else {
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
      const T rest = static_cast<T>(a % b);
      return static_cast<T>(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
    } else {
      return static_cast<T>(a % b);
    }
  }
}
/// With the sign of a (Mod with fmod).
template <class T>
T remainder_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
    }
    return static_cast<T>(a % b);
  }
}

/// Add, Sub, Mul, Div, Mod, Min, Max, Sum (as Add); nullptr for others and for what the type hasn't
/// got. Integer Div and Mod must not be given 0: see `divides`.
template <class W>
BinaryFunction<W> binary_function(const Node& node) {
  const std::string_view op = node.op;
  if constexpr (std::is_same_v<W, bool>) {
    return nullptr;
  } else {
    if (op == "Max") return larger<W>;
    if (op == "Min") return smaller<W>;
    if (op == "Mod") {
      return int_attribute(node, "fmod", 0) != 0 ? remainder_of<W> : modulo<W>;
    }
    if constexpr (std::is_floating_point_v<W>) {
      if (op == "Add" || op == "Sum" || op == "Mean") return [](W a, W b) { return a + b; };
      if (op == "Sub") return [](W a, W b) { return a - b; };
      if (op == "Mul") return [](W a, W b) { return a * b; };
      if (op == "Div") return [](W a, W b) { return a / b; };
    } else {
      // 64 bits unsigned: narrower unsigned types would be promoted to a signed int.
      using U = std::uint64_t;
      if (op == "Add" || op == "Sum") return [](W a, W b) { return static_cast<W>(U(a) + U(b)); };
      if (op == "Sub") return [](W a, W b) { return static_cast<W>(U(a) - U(b)); };
      if (op == "Mul") return [](W a, W b) { return static_cast<W>(U(a) * U(b)); };
      if (op == "Div") return quotient<W>;
    }
  }
  return nullptr;
}
inline bool divides(std::string_view op) {
  return op == "Div" || op == "Mod";
}

/// Equal, Less, ... of any type; And, Or, Xor of bool. nullptr for others.
template <class W>
using Comparison = bool (*)(W, W);
template <class W>
Comparison<W> comparison(std::string_view op) {
  if (op == "Equal") return [](W a, W b) { return a == b; };
  if constexpr (std::is_same_v<W, bool>) {
    if (op == "And") return [](W a, W b) { return a && b; };
    if (op == "Or") return [](W a, W b) { return a || b; };
    if (op == "Xor") return [](W a, W b) { return a != b; };
  } else {
    if (op == "Less") return [](W a, W b) { return a < b; };
    if (op == "LessOrEqual") return [](W a, W b) { return a <= b; };
    if (op == "Greater") return [](W a, W b) { return a > b; };
    if (op == "GreaterOrEqual") return [](W a, W b) { return a >= b; };
  }
  return nullptr;
}

/// An element of Range: start + i * step.
template <class W>
W range_element(W start, W step, std::int64_t i) {
  if constexpr (std::is_floating_point_v<W>) {
    return start + static_cast<W>(i) * step;
  } else {
    return static_cast<W>(static_cast<std::uint64_t>(start) +
                          static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(step));
  }
}

}  // namespace inferometer::graph
