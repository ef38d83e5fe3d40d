// SPDX-License-Identifier: Apache-2.0
// Constants through operators that move data.
#include <algorithm>
#include <cstring>
#include <span>

#include "graph/folding.hpp"
#include "graph/geometry.hpp"

namespace inferometer::graph {

namespace {

std::size_t product(std::span<const std::int64_t> sizes) {
  std::size_t result = 1;
  for (const auto size : sizes) result *= static_cast<std::size_t>(size);
  return result;
}

std::size_t from_front(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

}  // namespace

std::optional<Constant> fold_concat(const Folding& at) {
  FoldedOutput output(*at.outputs[0]);
  const auto axis = from_front(int_attribute(at.node, "axis", 0), output.shape.size());
  const auto outer = product(std::span(output.shape).first(axis));
  auto* to = output.memory->data();
  for (std::size_t i = 0; i < outer; ++i) {
    for (const auto* input : at.inputs) {
      const auto run = input->bytes.size() / outer;
      if (run != 0) std::memcpy(to, input->bytes.data() + i * run, run);
      to += run;
    }
  }
  return output.take();
}

std::optional<Constant> fold_gather(const Folding& at) {
  const auto& data = *at.inputs[0];
  FoldedOutput output(*at.outputs[0]);
  const auto axis = from_front(int_attribute(at.node, "axis", 0), data.shape.size());
  const auto size = data.shape[axis];
  const auto outer = product(std::span(data.shape).first(axis));
  const auto run = product(std::span(data.shape).subspan(axis + 1)) * size_bytes(data.dtype);
  const auto indices = as_integers(*at.inputs[1]);
  auto* to = output.memory->data();
  for (std::size_t i = 0; i < outer && run != 0; ++i) {
    for (const auto index : indices) {
      const auto row = static_cast<std::size_t>(index < 0 ? index + size : index);
      std::memcpy(to, data.bytes.data() + (i * static_cast<std::size_t>(size) + row) * run, run);
      to += run;
    }
  }
  return output.take();
}

std::optional<Constant> fold_strided(const Folding& at) {
  FoldedOutput output(*at.outputs[0]);
  copy_strided(read_strided(at.view()), at.inputs[0]->bytes.data(), output.memory->data(),
               size_bytes(output.dtype));
  return output.take();
}

std::optional<Constant> fold_constant_of_shape(const Folding& at) {
  FoldedOutput output(*at.outputs[0]);
  const auto value = at.node.attributes.find("value");
  if (value == at.node.attributes.end()) return output.take();  // zeros
  const auto element = std::get<Constant>(value->second).bytes;
  for (std::size_t i = 0; i < output.memory->size(); i += element.size()) {
    std::memcpy(output.memory->data() + i, element.data(), element.size());
  }
  return output.take();
}

}  // namespace inferometer::graph
