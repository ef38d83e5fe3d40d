// SPDX-License-Identifier: Apache-2.0
// Constants through operators that move data.
#include <algorithm>
#include <cstring>
#include <span>

#include "graph/folding.hpp"

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

std::optional<Constant> fold_shape_of(const Folding& at) {
  const auto& dims = *at.graph.value(at.node.inputs[0]).shape;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto start = int_attribute(at.node, "start", 0);
  const auto first = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
  const auto count = (*at.outputs[0]->shape)[0].size;
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = first; i < first + count; ++i) {
    sizes.push_back(dims[static_cast<std::size_t>(i)].size);
  }
  return make_constant<std::int64_t>({count}, sizes);
}

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

std::optional<Constant> fold_transpose(const Folding& at) {
  const auto& data = *at.inputs[0];
  FoldedOutput output(*at.outputs[0]);
  const auto rank = data.shape.size();
  std::vector<std::int64_t> reversed;
  for (std::size_t i = rank; i > 0; --i) reversed.push_back(static_cast<std::int64_t>(i - 1));
  const auto order = ints_attribute(at.node, "perm", reversed);
  const auto element = size_bytes(data.dtype);
  std::vector<std::size_t> steps(rank);  // bytes to the next place along each output axis
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = from_front(order[i], rank);
    steps[i] = product(std::span(data.shape).subspan(axis + 1)) * element;
  }
  std::vector<std::int64_t> index(rank, 0);
  const auto* from = data.bytes.data();
  for (std::size_t at_byte = 0; at_byte < output.memory->size(); at_byte += element) {
    std::memcpy(output.memory->data() + at_byte, from, element);
    for (auto axis = rank; axis-- > 0;) {
      from += steps[axis];
      if (++index[axis] < output.shape[axis]) break;
      from -= steps[axis] * static_cast<std::size_t>(output.shape[axis]);
      index[axis] = 0;
    }
  }
  return output.take();
}

}  // namespace inferometer::graph
