// SPDX-License-Identifier: Apache-2.0
// Gather, GatherElements, GatherND: picking by indices that are data.
#include <cstring>
#include <string>
#include <vector>

#include "graph/geometry.hpp"
#include "indices.hpp"
#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t result = 1;
  for (std::size_t i = begin; i < end; ++i) result *= shape[i];
  return result;
}

/// Copies runs of `bytes` from places in the input to one after the other in the output.
class Copier {
 public:
  Copier(const Work& work, std::int64_t bytes)
      : from_(static_cast<const std::byte*>(work.in[0].data)),
        to_(static_cast<std::byte*>(work.out[0].data)),
        bytes_(bytes) {}

  void take(std::int64_t run) {
    if (bytes_ > 0) std::memcpy(to_, from_ + run * bytes_, static_cast<std::size_t>(bytes_));
    to_ += bytes_;
  }

 private:
  const std::byte* from_;
  std::byte* to_;
  std::int64_t bytes_;
};

std::int64_t bytes_of(const View& view) {
  return static_cast<std::int64_t>(size_bytes(view.dtype));
}

void gather(const Work& work, std::size_t axis, const Indices& indices) {
  const Shape& in = work.in[0].shape;
  Copier copier(work, product(in, axis + 1, in.rank()) * bytes_of(work.in[0]));
  const std::int64_t count = work.in[1].shape.elements(), size = in[axis];
  for (std::int64_t outer = 0; outer < product(in, 0, axis); ++outer)
    for (std::int64_t i = 0; i < count; ++i)
      copier.take(outer * size + indices.at(work.in[1], i, size));
}

void gather_elements(const Work& work, std::size_t axis, const Indices& indices) {
  const Shape &in = work.in[0].shape, &out = work.out[0].shape;
  const auto steps = graph::steps_of({in.begin(), in.end()});
  Copier copier(work, bytes_of(work.in[0]));
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    std::int64_t element = indices.at(work.in[1], i, in[axis]) * steps[axis], rest = i;
    for (std::size_t k = out.rank(); k-- > 0;) {
      if (k != axis) element += rest % out[k] * steps[k];
      rest /= out[k];
    }
    copier.take(element);
  }
}

void gather_nd(const Work& work, std::size_t batch, const Indices& indices) {
  const Shape &in = work.in[0].shape, &at = work.in[1].shape;
  const std::int64_t depth = at[at.rank() - 1];
  const auto end = batch + static_cast<std::size_t>(depth);
  const std::int64_t batches = product(at, 0, batch);
  const std::int64_t each = batches == 0 ? 0 : at.elements() / depth / batches;
  Copier copier(work, product(in, end, in.rank()) * bytes_of(work.in[0]));
  for (std::int64_t i = 0; i < batches * each; ++i) {
    std::int64_t run = i / each;
    for (std::int64_t k = 0; k < depth; ++k) {
      const std::int64_t size = in[batch + static_cast<std::size_t>(k)];
      run = run * size + indices.at(work.in[1], i * depth + k, size);
    }
    copier.take(run);
  }
}

}  // namespace

Compute prepare_gather(const Site& site) {
  const std::size_t axis = site.axis(0, site.input_shape(0).rank());
  return [axis, indices = Indices(site)](const Work& work) { gather(work, axis, indices); };
}

Compute prepare_gather_elements(const Site& site) {
  const std::size_t axis = site.axis(0, site.input_shape(0).rank());
  return
      [axis, indices = Indices(site)](const Work& work) { gather_elements(work, axis, indices); };
}

Compute prepare_gather_nd(const Site& site) {
  const auto batch = static_cast<std::size_t>(graph::int_attribute(site.node(), "batch_dims", 0));
  return [batch, indices = Indices(site)](const Work& work) { gather_nd(work, batch, indices); };
}

}  // namespace inferometer::reference
