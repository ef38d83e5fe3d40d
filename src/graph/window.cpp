// SPDX-License-Identifier: Apache-2.0
#include "graph/window.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

std::vector<std::int64_t> checked_list(const Node& node, const char* name, std::size_t length,
                                       std::int64_t fallback, std::int64_t least) {
  auto list = ints_attribute(node, name, std::vector<std::int64_t>(length, fallback));
  if (list.size() != length) {
    throw_invalid("node {} ({}): attribute {} has {} entries, expected {}", printable(node.name),
                  node.op, name, list.size(), length);
  }
  for (const auto entry : list) {
    if (entry >= least) continue;
    throw_invalid("node {} ({}): attribute {} has {}, the least is {}", printable(node.name),
                  node.op, name, entry, least);
  }
  return list;
}

AutoPad read_auto_pad(const Node& node) {
  const auto word = string_attribute(node, "auto_pad", "NOTSET");
  if (word == "NOTSET") return AutoPad::NotSet;
  if (word == "SAME_UPPER") return AutoPad::SameUpper;
  if (word == "SAME_LOWER") return AutoPad::SameLower;
  if (word == "VALID") return AutoPad::Valid;
  throw_invalid("node {} ({}): auto_pad '{}' is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID",
                printable(node.name), node.op, printable(word));
}

/// (kernel - 1) * dilation + 1, nullopt on overflow.
std::optional<std::int64_t> extent(const Window& window, std::size_t axis) {
  const auto reach = checked_mul(window.kernel[axis] - 1, window.dilations[axis]);
  return reach ? checked_add(*reach, 1) : std::nullopt;
}

/// Far beyond every axis, and small enough to be added up.
constexpr std::int64_t kLargestExtent = 1LL << 40;

std::int64_t checked_extent(const Node& node, const Window& window, std::size_t axis) {
  const auto reach = extent(window, axis);
  if (!reach || *reach > kLargestExtent) {
    throw_invalid("node {} ({}): a window of {} with dilation {} is too large",
                  printable(node.name), node.op, window.kernel[axis], window.dilations[axis]);
  }
  return *reach;
}

[[noreturn]] void refuse_size(const Node& node, std::size_t axis, std::int64_t size) {
  throw_invalid("node {} ({}): axis {} of size {} can't get a size from these attributes",
                printable(node.name), node.op, axis + 2, size);
}

}  // namespace

Window read_window(const Node& node, std::vector<std::int64_t> kernel) {
  Window window;
  const auto axes = kernel.size();
  window.strides = checked_list(node, "strides", axes, 1, 1);
  window.dilations = checked_list(node, "dilations", axes, 1, 1);
  const auto pads = checked_list(node, "pads", 2 * axes, 0, 0);
  const auto half = pads.begin() + static_cast<std::ptrdiff_t>(axes);
  window.auto_pad = read_auto_pad(node);
  const bool given = window.auto_pad == AutoPad::NotSet;
  window.pads_begin = given ? std::vector(pads.begin(), half) : std::vector<std::int64_t>(axes);
  window.pads_end = given ? std::vector(half, pads.end()) : std::vector<std::int64_t>(axes);
  window.rounding = int_attribute(node, "ceil_mode", 0) != 0 ? Rounding::Ceil : Rounding::Floor;
  window.kernel = std::move(kernel);
  return window;
}

Dim window_output(const Node& node, const Window& window, std::size_t axis, const Dim& input) {
  if (input.size < 0) return {};
  const auto stride = window.strides[axis];
  if (window.auto_pad == AutoPad::SameUpper || window.auto_pad == AutoPad::SameLower) {
    checked_extent(node, window, axis);
    return {input.size / stride + (input.size % stride != 0 ? 1 : 0), ""};
  }
  const auto reach = extent(window, axis);
  const auto front = checked_add(input.size, window.pads_begin[axis]);
  const auto padded = front ? checked_add(*front, window.pads_end[axis]) : std::nullopt;
  if (!reach || !padded || *reach > *padded) {
    throw_invalid(
        "node {} ({}): a window of {} with dilation {} doesn't fit into axis {} of size {} "
        "with pads {} and {}",
        printable(node.name), node.op, window.kernel[axis], window.dilations[axis], axis + 2,
        input.size, window.pads_begin[axis], window.pads_end[axis]);
  }
  const auto room = *padded - *reach;
  auto size = room / stride + 1;
  // A window added by rounding up must begin on the input or its front padding.
  const bool add = window.rounding == Rounding::Ceil && room % stride != 0;
  if (add && size * stride < *front) ++size;
  return {size, ""};
}

TransposedWindow read_transposed_window(const Node& node, std::vector<std::int64_t> kernel) {
  const auto axes = kernel.size();
  TransposedWindow window;
  static_cast<Window&>(window) = read_window(node, std::move(kernel));
  window.extra = checked_list(node, "output_padding", axes, 0, 0);
  window.wanted = ints_attribute(node, "output_shape", {});
  // Some exporters give batch and channels too.
  if (window.wanted.size() == axes + 2) {
    window.wanted.erase(window.wanted.begin(), window.wanted.begin() + 2);
  }
  if (!window.wanted.empty() && window.wanted.size() != axes) {
    throw_invalid("node {} ({}): attribute output_shape has {} entries, expected {}",
                  printable(node.name), node.op, window.wanted.size(), axes);
  }
  return window;
}

Dim transposed_output(const Node& node, TransposedWindow& window, std::size_t axis,
                      const Dim& input) {
  if (input.size < 0) return window.wanted.empty() ? Dim{} : Dim{window.wanted[axis], ""};
  const auto reach = checked_extent(node, window, axis);
  const auto stride = window.strides[axis];
  const auto moved = checked_mul(stride, std::max<std::int64_t>(input.size - 1, 0));
  const auto fixed = checked_add(reach, window.extra[axis]);
  const auto full = moved && fixed ? checked_add(*moved, *fixed) : std::nullopt;
  if (!full || *full > kLargestExtent || input.size < 1) refuse_size(node, axis, input.size);
  const bool same = window.auto_pad == AutoPad::SameUpper || window.auto_pad == AutoPad::SameLower;
  auto& begin = window.pads_begin[axis];
  auto& end = window.pads_end[axis];
  if (window.wanted.empty() && !same) {
    if (begin > *full || end > *full - begin) refuse_size(node, axis, input.size);
    return {*full - begin - end, ""};
  }
  const auto size =
      window.wanted.empty() ? checked_mul(stride, input.size).value_or(0) : window.wanted[axis];
  if (size < 1 || size > kLargestExtent) refuse_size(node, axis, input.size);
  const auto total = *full > size ? *full - size : 0;
  const auto less = total / 2;
  begin = window.auto_pad == AutoPad::SameUpper ? less : total - less;
  end = total - begin;
  return {size, ""};
}

void fix_pads(Window& window, const std::vector<std::int64_t>& input_sizes) {
  if (window.auto_pad != AutoPad::SameUpper && window.auto_pad != AutoPad::SameLower) return;
  for (std::size_t i = 0; i < input_sizes.size(); ++i) {
    const auto outputs = (input_sizes[i] + window.strides[i] - 1) / window.strides[i];
    const auto reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const auto total =
        std::max<std::int64_t>(0, (outputs - 1) * window.strides[i] + reach - input_sizes[i]);
    const auto less = total / 2;
    window.pads_begin[i] = window.auto_pad == AutoPad::SameUpper ? less : total - less;
    window.pads_end[i] = total - window.pads_begin[i];
  }
}

}  // namespace inferometer::graph
