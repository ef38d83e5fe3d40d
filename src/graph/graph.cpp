// SPDX-License-Identifier: Apache-2.0
#include "graph/graph.hpp"

#include <cstring>
#include <type_traits>

#include "graph/elements.hpp"
#include "graph/sizes.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

std::optional<std::int64_t> checked_product(std::span<const std::int64_t> sizes) {
  std::int64_t product = 1;
  bool zero = false;
  for (const auto size : sizes) {
    if (size < 0) return std::nullopt;
    zero |= size == 0;
    if (size == 0) continue;
    const auto next = checked_mul(product, size);
    if (!next) return std::nullopt;
    product = *next;
  }
  return zero ? 0 : product;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

std::string shape_text(std::span<const Dim> shape) {
  std::vector<std::string> words;
  words.reserve(shape.size());
  for (const auto& dim : shape) {
    words.push_back(dim.size >= 0        ? std::to_string(dim.size)
                    : dim.symbol.empty() ? "?"
                                         : dim.symbol);
  }
  return fmt::format("[{}]", fmt::join(words, ","));
}

std::int64_t Constant::elements() const {
  const auto count = checked_product(shape);
  if (!count)
    throw_invalid("constant of shape {}: its size is negative or overflows", shape_text(shape));
  return *count;
}

template <class T>
Constant make_constant(std::vector<std::int64_t> shape, std::span<const T> values) {
  Constant constant{dtype_of<T>(), std::move(shape), {}, nullptr};
  if (constant.elements() != static_cast<std::int64_t>(values.size())) {
    throw_invalid("constant of shape {} given {} values", shape_text(constant.shape),
                  values.size());
  }
  auto memory = std::make_shared<std::vector<std::byte>>(values.size_bytes());
  if (!values.empty()) std::memcpy(memory->data(), values.data(), values.size_bytes());
  constant.bytes = *memory;
  constant.owner = std::move(memory);
  return constant;
}

template Constant make_constant(std::vector<std::int64_t>, std::span<const float>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const double>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::int8_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::int16_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::int32_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::int64_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::uint8_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::uint16_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::uint32_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const std::uint64_t>);
template Constant make_constant(std::vector<std::int64_t>, std::span<const bool>);

namespace {

template <class To>
std::vector<To> converted(const Constant& constant, std::int64_t limit) {
  const auto count = constant.elements();
  if (count > limit)
    throw_invalid("constant of {} elements where at most {} are expected", count, limit);
  std::vector<To> result(static_cast<std::size_t>(count));
  visit_elements(constant.dtype, [&](auto codec) {
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = static_cast<To>(codec.load(constant.bytes, i));
    }
  });
  return result;
}

template <class T>
const T* find_attribute(const Node& node, const std::string& name, const char* expected) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return nullptr;
  const auto* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw_invalid("node {} ({}): attribute {} must be {}", node.name, node.op, name, expected);
  }
  return value;
}

}  // namespace

std::vector<double> as_reals(const Constant& constant, std::int64_t limit) {
  return converted<double>(constant, limit);
}

std::vector<std::int64_t> as_integers(const Constant& constant, std::int64_t limit) {
  if (is_floating(constant.dtype)) {
    throw_invalid("a constant of dtype {} where integers are expected", to_string(constant.dtype));
  }
  return converted<std::int64_t>(constant, limit);
}

std::int64_t int_attribute(const Node& node, const std::string& name, std::int64_t fallback) {
  const auto* value = find_attribute<std::int64_t>(node, name, "an integer");
  return value != nullptr ? *value : fallback;
}

float float_attribute(const Node& node, const std::string& name, float fallback) {
  const auto* value = find_attribute<float>(node, name, "a number");
  return value != nullptr ? *value : fallback;
}

std::string string_attribute(const Node& node, const std::string& name,
                             const std::string& fallback) {
  const auto* value = find_attribute<std::string>(node, name, "a string");
  return value != nullptr ? *value : fallback;
}

std::vector<std::int64_t> ints_attribute(const Node& node, const std::string& name,
                                         const std::vector<std::int64_t>& fallback) {
  const auto* value = find_attribute<std::vector<std::int64_t>>(node, name, "a list of integers");
  return value != nullptr ? *value : fallback;
}

}  // namespace inferometer::graph
