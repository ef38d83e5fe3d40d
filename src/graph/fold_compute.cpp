// SPDX-License-Identifier: Apache-2.0
// Constants through operators that compute.
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "graph/elements.hpp"
#include "graph/folding.hpp"
#include "graph/geometry.hpp"
#include "graph/scalar.hpp"

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
  const auto own = steps_of(operand.shape);
  std::vector<std::int64_t> steps(rank, 0);
  const auto skipped = rank - own.size();
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (operand.shape[i] != 1) steps[skipped + i] = own[i];
  }
  return steps;
}

/// Where the elements of two broadcast operands lie, in the order of the output's.
class Places {
 public:
  Places(const FoldedOutput& output, const Constant& a, const Constant& b)
      : shape_(output.shape),
        steps_a_(broadcast_steps(a, shape_.size())),
        steps_b_(broadcast_steps(b, shape_.size())),
        index_(shape_.size(), 0),
        count_(output.count()) {}

  /// Calls use(i, place in a, place in b) for every element.
  template <class Use>
  void walk(Use use) {
    std::int64_t a = 0, b = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      use(i, static_cast<std::size_t>(a), static_cast<std::size_t>(b));
      for (auto axis = shape_.size(); axis-- > 0;) {
        a += steps_a_[axis];
        b += steps_b_[axis];
        if (++index_[axis] < shape_[axis]) break;
        a -= steps_a_[axis] * shape_[axis];
        b -= steps_b_[axis] * shape_[axis];
        index_[axis] = 0;
      }
    }
  }

 private:
  const std::vector<std::int64_t>& shape_;
  std::vector<std::int64_t> steps_a_, steps_b_, index_;
  std::size_t count_;
};

/// What a value of T is computed in: reals in double.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double, T>;

template <class T>
Wide<T> widen(T value) {
  return static_cast<Wide<T>>(value);
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

std::optional<Constant> fold_unary(const Folding& at) {
  const auto& x = *at.inputs[0];
  FoldedOutput output(*at.outputs[0]);
  bool done = false;
  visit_elements(x.dtype, [&](auto codec) {
    using T = decltype(codec)::Type;
    const auto each = [&](auto apply) {
      done = true;
      for (std::size_t i = 0; i < output.count(); ++i) {
        codec.store(*output.memory, i, static_cast<T>(apply(widen(codec.load(x.bytes, i)))));
      }
    };
    if constexpr (std::is_floating_point_v<T>) {
      if (const auto function = real_function(at.node)) each(*function);
    } else {
      if (const auto function = integer_function<T>(at.node.op)) each(function);
    }
  });
  return done ? std::optional(output.take()) : std::nullopt;
}

std::optional<Constant> fold_binary(const Folding& at) {
  if (at.inputs.size() != 2 || at.node.op == "Mean") return std::nullopt;
  const auto& a = *at.inputs[0];
  const auto& b = *at.inputs[1];
  FoldedOutput output(*at.outputs[0]);
  Places places(output, a, b);
  bool defined = false;
  visit_elements(a.dtype, [&](auto codec) {
    using T = decltype(codec)::Type;
    const auto function = binary_function<Wide<T>>(at.node);
    if (function == nullptr) return;
    defined = true;
    const bool checks = divides(at.node.op) && std::is_integral_v<T>;
    places.walk([&](std::size_t i, std::size_t from_a, std::size_t from_b) {
      const auto x = widen(codec.load(a.bytes, from_a)), y = widen(codec.load(b.bytes, from_b));
      defined &= !(checks && y == Wide<T>{});
      if (defined) codec.store(*output.memory, i, static_cast<T>(function(x, y)));
    });
  });
  // Integer division by zero is left for the engine to refuse.
  return defined ? std::optional(output.take()) : std::nullopt;
}

std::optional<Constant> fold_compare(const Folding& at) {
  const auto& a = *at.inputs[0];
  const auto& b = *at.inputs[1];
  FoldedOutput output(*at.outputs[0]);
  Places places(output, a, b);
  bool defined = false;
  visit_elements(a.dtype, [&](auto codec) {
    const auto compare = comparison<Wide<typename decltype(codec)::Type>>(at.node.op);
    if (compare == nullptr) return;
    defined = true;
    places.walk([&](std::size_t i, std::size_t from_a, std::size_t from_b) {
      BoolCodec::store(
          *output.memory, i,
          compare(widen(codec.load(a.bytes, from_a)), widen(codec.load(b.bytes, from_b))));
    });
  });
  return defined ? std::optional(output.take()) : std::nullopt;
}

std::optional<Constant> fold_where(const Folding& at) {
  FoldedOutput output(*at.outputs[0]);
  const auto element = size_bytes(output.dtype);
  // Two walks over the same places: the first writes where the condition holds, the second where
  // it doesn't.
  for (const std::size_t branch : {1, 2}) {
    const auto& from = *at.inputs[branch];
    Places(output, *at.inputs[0], from)
        .walk([&](std::size_t i, std::size_t choice, std::size_t source) {
          if (BoolCodec::load(at.inputs[0]->bytes, choice) != (branch == 1)) return;
          std::memcpy(output.memory->data() + i * element, from.bytes.data() + source * element,
                      element);
        });
  }
  return output.take();
}

std::optional<Constant> fold_range(const Folding& at) {
  FoldedOutput output(*at.outputs[0]);
  visit_elements(output.dtype, [&](auto codec) {
    using T = decltype(codec)::Type;
    const auto start = widen(codec.load(at.inputs[0]->bytes, 0));
    const auto step = widen(codec.load(at.inputs[2]->bytes, 0));
    for (std::size_t i = 0; i < output.count(); ++i) {
      codec.store(*output.memory, i,
                  static_cast<T>(range_element(start, step, static_cast<std::int64_t>(i))));
    }
  });
  return output.take();
}

std::optional<Constant> fold_cast(const Folding& at) {
  const auto& input = *at.inputs[0];
  FoldedOutput output(*at.outputs[0]);
  visit_elements(input.dtype, [&](auto from) {
    visit_elements(output.dtype, [&](auto to) {
      for (std::size_t i = 0; i < output.count(); ++i) {
        to.store(*output.memory, i,
                 convert<typename decltype(to)::Type>(from.load(input.bytes, i)));
      }
    });
  });
  return output.take();
}

}  // namespace inferometer::graph
