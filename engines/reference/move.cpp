// SPDX-License-Identifier: Apache-2.0
// Operators that move elements of any dtype without computing.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "graph/geometry.hpp"
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

}  // namespace

Compute prepare_copy(const Site&) {
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

Compute prepare_strided(const Site& site) {
  const auto how = graph::read_strided(site.view());
  const std::size_t size = size_bytes(site.output_dtype(0));
  return [=](const Work& work) {
    graph::copy_strided(how, bytes_of(work.in[0]), out_bytes(work), size);
  };
}

}  // namespace inferometer::reference
