// SPDX-License-Identifier: Apache-2.0
#include "window.hpp"

#include <algorithm>

namespace inferometer::reference {
namespace {

// What SAME_UPPER and SAME_LOWER pad at the beginning; an odd rest goes to the named side.
std::int64_t same_pad(const WindowAxis& axis, bool upper) {
  const std::int64_t reach = (axis.out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1;
  const std::int64_t total = std::max<std::int64_t>(reach - axis.in, 0);
  return upper ? total / 2 : total - total / 2;
}

}  // namespace

Window make_window(const Site& site, const std::vector<std::int64_t>& kernel) {
  const Shape in = site.input_shape(0), out = site.output_shape(0);
  const std::size_t rank = kernel.size();
  if (rank < 1 || rank > 3 || in.rank() != rank + 2)
    site.refuse("only 1 to 3 spatial axes are done");
  const std::vector<std::int64_t> ones(rank, 1);
  const auto strides = graph::ints_attribute(site.node(), "strides", ones);
  const auto dilations = graph::ints_attribute(site.node(), "dilations", ones);
  const auto pads =
      graph::ints_attribute(site.node(), "pads", std::vector<std::int64_t>(2 * rank, 0));
  const auto auto_pad = graph::string_attribute(site.node(), "auto_pad", "NOTSET");
  Window window;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t to = 3 - rank + i;
    WindowAxis axis{in[i + 2], out[i + 2], kernel[i], strides.at(i), dilations.at(i), 0};
    if (auto_pad == "NOTSET") {
      axis.pad = pads.at(i);
      window.pad_end[to] = pads.at(i + rank);
    } else if (auto_pad != "VALID") {
      axis.pad = same_pad(axis, auto_pad == "SAME_UPPER");
      window.pad_end[to] = same_pad(axis, auto_pad != "SAME_UPPER");
    }
    window.axes[to] = axis;
  }
  return window;
}

}  // namespace inferometer::reference
