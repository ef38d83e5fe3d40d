// SPDX-License-Identifier: Apache-2.0
#include "inferometer/tensor.hpp"

#include <cstdlib>
#include <string>

#include "base/machine_memory.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

// A cache line, an AVX-512 register, and what XLA needs to take memory without a copy.
constexpr std::size_t kAlignment = 64;

std::shared_ptr<void> allocate_aligned(std::size_t bytes) {
  const std::size_t rounded = (bytes + kAlignment) / kAlignment * kAlignment;
  void* memory = bytes > machine_memory_bytes() ? nullptr : std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) {
    throw Error(Status::OutOfMemory, "can't allocate " + std::to_string(bytes) +
                                         " bytes for a tensor; the machine has " +
                                         std::to_string(machine_memory_bytes()));
  }
  return {memory, std::free};
}

}  // namespace

Shape::Shape(std::span<const std::int64_t> dims) : rank_(static_cast<std::uint8_t>(dims.size())) {
  if (dims.size() > kMaxRank) {
    throw Error(Status::Invalid, "a tensor of rank " + std::to_string(dims.size()) + ": at most " +
                                     std::to_string(kMaxRank) + " axes are carried");
  }
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t dim : dims()) {
    if (dim < 0 || __builtin_mul_overflow(product, dim, &product)) {
      throw Error(Status::Invalid, "shape " + to_string(*this) + " has no number of elements");
    }
  }
  return product;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t dim : shape.dims()) {
    if (text.size() > 1) text += ',';
    text += std::to_string(dim);
  }
  return text + "]";
}

std::size_t View::size_bytes() const {
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(shape.elements(),
                             static_cast<std::int64_t>(inferometer::size_bytes(dtype)), &bytes)) {
    throw Error(Status::Invalid, "shape " + to_string(shape) + " is larger than memory can be");
  }
  return static_cast<std::size_t>(bytes);
}

Tensor::Tensor(DType dtype, Shape shape) {
  view_ = View(static_cast<void*>(nullptr), dtype, shape);
  owner_ = allocate_aligned(view_.size_bytes());
  view_.data = owner_.get();
}

}  // namespace inferometer
