// SPDX-License-Identifier: Apache-2.0
#include "window.hpp"

#include "graph/window.hpp"

namespace inferometer::reference {

Window make_window(const Site& site, const std::vector<std::int64_t>& kernel) {
  const Shape in = site.input_shape(0), out = site.output_shape(0);
  const std::size_t rank = kernel.size();
  if (rank < 1 || rank > 3 || in.rank() != rank + 2)
    site.refuse("only 1 to 3 spatial axes are done");
  graph::Window read = graph::read_window(site.node(), kernel);
  graph::fix_pads(read, {in.begin() + 2, in.end()});
  Window window;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t to = 3 - rank + i;
    window.axes[to] = {in[i + 2],       out[i + 2],        kernel[i],
                       read.strides[i], read.dilations[i], read.pads_begin[i]};
    window.pad_end[to] = read.pads_end[i];
  }
  return window;
}

}  // namespace inferometer::reference
