// SPDX-License-Identifier: Apache-2.0
// Windows that slide over up to three spatial axes: Conv and the pools.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernel.hpp"

namespace inferometer::reference {

struct WindowAxis {
  std::int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;

  /// Where output `o`'s tap `k` reads; may be outside [0, in).
  std::int64_t at(std::int64_t o, std::int64_t k) const { return o * stride - pad + k * dilation; }
};

/// Depth, height, width; axes that the tensor lacks are of size 1.
struct Window {
  std::array<WindowAxis, 3> axes;
  std::int64_t pad_end[3] = {0, 0, 0};

  std::int64_t in_size() const { return axes[0].in * axes[1].in * axes[2].in; }
  std::int64_t out_size() const { return axes[0].out * axes[1].out * axes[2].out; }
  std::int64_t kernel_size() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
};

/// From the attributes strides, dilations, pads and auto_pad. `kernel`: sizes of the spatial axes.
Window make_window(const Site& site, const std::vector<std::int64_t>& kernel);

}  // namespace inferometer::reference
