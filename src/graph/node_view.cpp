// SPDX-License-Identifier: Apache-2.0
#include "graph/node_view.hpp"

#include "base/text.hpp"
#include "graph/elements.hpp"

namespace inferometer::graph {

const Value* NodeView::value(std::size_t input) const {
  if (input >= node_.inputs.size() || node_.inputs[input] == kNoValue) return nullptr;
  return &graph_.value(node_.inputs[input]);
}

const std::vector<Dim>* NodeView::shape(std::size_t input) const {
  const auto* found = value(input);
  return found != nullptr && found->shape ? &*found->shape : nullptr;
}

const std::vector<Dim>* NodeView::output_shape(std::size_t output) const {
  if (output >= node_.outputs.size() || node_.outputs[output] == kNoValue) return nullptr;
  const auto& found = graph_.value(node_.outputs[output]);
  return found.shape ? &*found.shape : nullptr;
}

std::optional<DType> NodeView::dtype(std::size_t input) const {
  const auto* found = value(input);
  return found != nullptr ? found->dtype : std::nullopt;
}

const Constant* NodeView::constant(std::size_t input) const {
  const auto* found = value(input);
  return found != nullptr && found->constant ? &*found->constant : nullptr;
}

std::optional<std::vector<std::int64_t>> NodeView::sizes(std::size_t input) const {
  const auto* dims = shape(input);
  if (dims == nullptr) return std::nullopt;
  std::vector<std::int64_t> sizes;
  for (const auto& dim : *dims) {
    if (dim.size < 0) return std::nullopt;
    sizes.push_back(dim.size);
  }
  return sizes;
}

const Constant* NodeView::small_constant(std::size_t input) const {
  const auto* found = constant(input);
  if (found != nullptr && found->elements() > kMaxElements) {
    fail("input {} has {} elements, at most {} are expected", input, found->elements(),
         kMaxElements);
  }
  return found;
}

std::optional<std::vector<Element>> NodeView::elements(std::size_t input) const {
  const auto* found = value(input);
  if (found == nullptr) return std::nullopt;
  if (!found->constant) return found->elements;
  const auto& constant = *found->constant;
  if (is_floating(constant.dtype) || constant.elements() > kMaxElements) return std::nullopt;
  std::vector<Element> elements;
  for (const auto number : as_integers(constant)) elements.push_back({number, ""});
  return elements;
}

std::optional<std::vector<std::int64_t>> NodeView::integers(std::size_t input) const {
  if (const auto* constant = small_constant(input)) {
    if (is_floating(constant->dtype)) {
      fail("input {} is of dtype {}, integers are needed", input, to_string(constant->dtype));
    }
    return as_integers(*constant);
  }
  const auto known = elements(input);
  if (!known) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const auto& element : *known) {
    if (!element.number) return std::nullopt;
    numbers.push_back(*element.number);
  }
  return numbers;
}

std::optional<std::vector<double>> NodeView::reals(std::size_t input) const {
  const auto* constant = small_constant(input);
  return constant != nullptr ? std::optional(as_reals(*constant)) : std::nullopt;
}

std::string NodeView::label() const {
  return fmt::format("node {} ({})", printable(node_.name), printable(node_.op));
}

std::size_t NodeView::axis(std::int64_t axis, std::size_t rank) const {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) fail("axis {} is outside of rank {}", axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

std::optional<DType> NodeView::common_dtype(std::size_t first) const {
  std::optional<DType> common;
  for (std::size_t i = first; i < input_count(); ++i) {
    const auto given = dtype(i);
    if (!given) continue;
    if (common && *common != *given) {
      fail("inputs of different dtypes, {} and {}", to_string(*common), to_string(*given));
    }
    common = given;
  }
  return common;
}

}  // namespace inferometer::graph
