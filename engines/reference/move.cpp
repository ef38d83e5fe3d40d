// SPDX-License-Identifier: Apache-2.0
// Operators that move elements of any dtype without computing.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "kernel.hpp"
#include "number.hpp"

namespace inferometer::reference {
namespace {

const std::byte* bytes_of(const View& view) {
  return static_cast<const std::byte*>(view.data);
}
std::byte* out_bytes(const Work& work) {
  return static_cast<std::byte*>(work.out[0].data);
}

std::size_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  return static_cast<std::size_t>(std::accumulate(shape.begin() + begin, shape.begin() + end,
                                                  std::int64_t{1}, std::multiplies<>()));
}

void copy(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

// Out of range and NaN give the nearest limit and 0: ONNX leaves them open, C++ undefined.
template <class Out>
Out to_integer(double value) {
  if (std::isnan(value)) return 0;
  const double least = static_cast<double>(std::numeric_limits<Out>::lowest());
  const double beyond = std::ldexp(1.0, std::numeric_limits<Out>::digits);
  if (value < least) return std::numeric_limits<Out>::lowest();
  return value >= beyond ? std::numeric_limits<Out>::max() : static_cast<Out>(value);
}

template <class In, class Out>
Out cast(In value) {
  if constexpr (std::is_same_v<Out, bool>)
    return widen(value) != Wide<In>{0};
  else if constexpr (is_real<Out>)
    return static_cast<Out>(static_cast<double>(value));
  else if constexpr (is_real<In>)
    return to_integer<Out>(static_cast<double>(value));
  else
    return static_cast<Out>(value);
}

template <class In, class Out>
void cast_all(const Work& work) {
  const In* from = static_cast<const In*>(work.in[0].data);
  Out* to = static_cast<Out*>(work.out[0].data);
  const std::int64_t count = work.in[0].shape.elements();
  for (std::int64_t i = 0; i < count; ++i) to[i] = cast<In, Out>(from[i]);
}

void transpose(const Work& work, const std::vector<std::int64_t>& order) {
  const Shape &in = work.in[0].shape, &out = work.out[0].shape;
  const std::size_t rank = in.rank(), size = size_bytes(work.in[0].dtype);
  std::vector<std::size_t> steps(rank), index(rank, 0);
  for (std::size_t i = 0; i < rank; ++i)
    steps[i] = product(in, static_cast<std::size_t>(order[i]) + 1, rank) * size;
  const std::byte* from = bytes_of(work.in[0]);
  std::byte* to = out_bytes(work);
  for (std::int64_t count = out.elements(); count > 0; --count, to += size) {
    std::memcpy(to, from, size);
    for (std::size_t axis = rank; axis-- > 0;) {
      from += steps[axis];
      if (++index[axis] < static_cast<std::size_t>(out[axis])) break;
      from -= steps[axis] * index[axis];
      index[axis] = 0;
    }
  }
}

void concat(const Work& work, std::size_t axis) {
  const std::size_t size = size_bytes(work.out[0].dtype);
  const std::size_t outer = product(work.out[0].shape, 0, axis);
  const std::size_t row = product(work.out[0].shape, axis, work.out[0].shape.rank()) * size;
  std::size_t offset = 0;
  for (const View& in : work.in) {
    const std::size_t piece = product(in.shape, axis, in.shape.rank()) * size;
    for (std::size_t i = 0; i < outer; ++i)
      copy(out_bytes(work) + i * row + offset, bytes_of(in) + i * piece, piece);
    offset += piece;
  }
}

template <class Index>
void gather(const Work& work, std::size_t axis, const std::string& node) {
  const Shape& in = work.in[0].shape;
  const std::size_t piece = product(in, axis + 1, in.rank()) * size_bytes(work.in[0].dtype);
  const std::int64_t count = work.in[1].shape.elements(), size = in[axis];
  const Index* indices = static_cast<const Index*>(work.in[1].data);
  std::byte* to = out_bytes(work);
  for (std::size_t outer = 0; outer < product(in, 0, axis); ++outer)
    for (std::int64_t i = 0; i < count; ++i, to += piece) {
      const std::int64_t index = indices[i] < 0 ? indices[i] + size : indices[i];
      if (index < 0 || index >= size)
        throw Error(Status::PredictFailed,
                    fmt::format("reference: Gather (node {}): index {} of an axis of {}", node,
                                indices[i], size));
      copy(to,
           bytes_of(work.in[0]) +
               (outer * static_cast<std::size_t>(size) + static_cast<std::size_t>(index)) * piece,
           piece);
    }
}

}  // namespace

Compute prepare_copy(const Site& site) {
  if (site.has_output(1)) site.refuse("a second output");
  return [](const Work& work) {
    copy(out_bytes(work), bytes_of(work.in[0]), work.out[0].size_bytes());
  };
}

Compute prepare_cast(const Site& site) {
  const DType to = site.output_dtype(0);
  return with_type(site.input_dtype(0), [&]<class In>(In) {
    return with_type(to, [&]<class Out>(Out) -> Compute { return cast_all<In, Out>; });
  });
}

Compute prepare_concat(const Site& site) {
  const std::size_t axis = site.axis(1, site.output_shape(0).rank());
  return [axis](const Work& work) { concat(work, axis); };
}

Compute prepare_transpose(const Site& site) {
  const std::size_t rank = site.input_shape(0).rank();
  std::vector<std::int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const auto order = graph::ints_attribute(site.node(), "perm", reversed);
  if (order.size() != rank) site.refuse("perm of another rank");
  return [order](const Work& work) { transpose(work, order); };
}

Compute prepare_gather(const Site& site) {
  const std::size_t axis = site.axis(0, site.input_shape(0).rank());
  const std::string node = site.node().name;
  if (site.input_dtype(1) == DType::I32)
    return [=](const Work& work) { gather<std::int32_t>(work, axis, node); };
  if (site.input_dtype(1) != DType::I64) site.refuse("indices that are neither i32 nor i64");
  return [=](const Work& work) { gather<std::int64_t>(work, axis, node); };
}

}  // namespace inferometer::reference
