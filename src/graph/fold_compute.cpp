// SPDX-License-Identifier: Apache-2.0
// Constants through operators that compute.
#include <cmath>
#include <limits>
#include <type_traits>

#include "graph/elements.hpp"
#include "graph/folding.hpp"

namespace inferometer::graph {

FoldedOutput::FoldedOutput(const Value& value) : dtype(*value.dtype) {
  std::size_t bytes = size_bytes(dtype);
  for (const auto& dim : *value.shape) {
    shape.push_back(dim.size);
    bytes *= static_cast<std::size_t>(dim.size);
  }
  memory = std::make_shared<std::vector<std::byte>>(bytes);
}

Constant FoldedOutput::take() {
  return {dtype, shape, *memory, memory};
}

std::optional<Constant> fold_same_bytes(const Folding& at) {
  const auto& input = *at.inputs[0];
  std::vector<std::int64_t> shape;
  for (const auto& dim : *at.outputs[0]->shape) shape.push_back(dim.size);
  return Constant{input.dtype, std::move(shape), input.bytes, input.owner};
}

namespace {

/// Step of each output axis in an operand that is broadcast: 0 where it has size 1.
std::vector<std::int64_t> broadcast_steps(const Constant& operand, std::size_t rank) {
  std::vector<std::int64_t> steps(rank, 0);
  std::int64_t step = 1;
  for (std::size_t i = 0; i < operand.shape.size(); ++i) {
    const auto size = operand.shape[operand.shape.size() - 1 - i];
    if (size != 1) steps[rank - 1 - i] = step;
    step *= size;
  }
  return steps;
}

/// Calls use(i, offset_a, offset_b) for every element of `shape` in order.
template <class Use>
void walk(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& steps_a,
          const std::vector<std::int64_t>& steps_b, std::int64_t count, Use use) {
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t a = 0, b = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    use(static_cast<std::size_t>(i), static_cast<std::size_t>(a), static_cast<std::size_t>(b));
    for (auto axis = shape.size(); axis-- > 0;) {
      a += steps_a[axis];
      b += steps_b[axis];
      if (++index[axis] < shape[axis]) break;
      a -= steps_a[axis] * shape[axis];
      b -= steps_b[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/// Integers wrap as two's complement; floats of 16 bits are computed in float.
template <class T>
std::optional<T> apply(const std::string& op, T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (op == "Add") return a + b;
    if (op == "Sub") return a - b;
    if (op == "Mul") return a * b;
    return a / b;
  } else {
    // 64 bits unsigned: narrower unsigned types would be promoted to a signed int.
    const auto x = static_cast<std::uint64_t>(a);
    const auto y = static_cast<std::uint64_t>(b);
    if (op == "Add") return static_cast<T>(x + y);
    if (op == "Sub") return static_cast<T>(x - y);
    if (op == "Mul") return static_cast<T>(x * y);
    if (b == 0) return std::nullopt;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return static_cast<T>(0 - x);
    }
    return static_cast<T>(a / b);
  }
}

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Out of range is undefined in C++; ONNX leaves it to the engine. Clamped here.
    const auto wide = static_cast<double>(value);
    if (std::isnan(wide)) return 0;
    if (wide <= static_cast<double>(std::numeric_limits<To>::min())) {
      return std::numeric_limits<To>::min();
    }
    if (wide >= static_cast<double>(std::numeric_limits<To>::max())) {
      return std::numeric_limits<To>::max();
    }
    return static_cast<To>(wide);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace

std::optional<Constant> fold_binary(const Folding& at) {
  const auto& a = *at.inputs[0];
  const auto& b = *at.inputs[1];
  if (a.dtype == DType::Bool) return std::nullopt;
  FoldedOutput output(*at.outputs[0]);
  bool defined = true;
  visit_elements(a.dtype, [&](auto codec) {
    if constexpr (!std::is_same_v<typename decltype(codec)::Type, bool>) {
      const auto rank = output.shape.size();
      const auto count =
          static_cast<std::int64_t>(output.memory->size() / size_bytes(output.dtype));
      walk(output.shape, broadcast_steps(a, rank), broadcast_steps(b, rank), count,
           [&](std::size_t i, std::size_t from_a, std::size_t from_b) {
             const auto y =
                 apply(at.node.op, codec.load(a.bytes, from_a), codec.load(b.bytes, from_b));
             defined &= y.has_value();
             if (y) codec.store(*output.memory, i, *y);
           });
    }
  });
  // Integer division by zero is left for the engine to refuse.
  return defined ? std::optional(output.take()) : std::nullopt;
}

std::optional<Constant> fold_cast(const Folding& at) {
  const auto& input = *at.inputs[0];
  FoldedOutput output(*at.outputs[0]);
  visit_elements(input.dtype, [&](auto from) {
    visit_elements(output.dtype, [&](auto to) {
      const auto count = output.memory->size() / size_bytes(output.dtype);
      for (std::size_t i = 0; i < count; ++i) {
        to.store(*output.memory, i,
                 convert<typename decltype(to)::Type>(from.load(input.bytes, i)));
      }
    });
  });
  return output.take();
}

}  // namespace inferometer::graph
