// SPDX-License-Identifier: Apache-2.0
#include "graph/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.hpp"
#include "graph/elements.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

ListArgument read_list(const NodeView& at, const char* attribute, std::size_t input) {
  if (at.node().attributes.count(attribute) != 0) {
    return {true, ints_attribute(at.node(), attribute, {})};
  }
  if (!at.has(input)) return {};
  const auto* dims = at.shape(input);
  if (dims != nullptr && dims->size() > 1) {
    at.fail("input {} ({}) has shape {}, a list is needed", input, attribute, shape_text(*dims));
  }
  return {true, at.integers(input)};
}

std::vector<bool> axis_flags(const NodeView& at, const std::vector<std::int64_t>& axes,
                             std::size_t rank) {
  std::vector<bool> flags(rank, false);
  for (const auto axis : axes) {
    const auto front = at.axis(axis, rank);
    if (flags[front]) at.fail("axis {} is given twice", axis);
    flags[front] = true;
  }
  return flags;
}

std::optional<Reduction> read_reduction(const NodeView& at, std::size_t rank) {
  const auto axes = read_list(at, "axes", 1);
  if (axes.given && !axes.list) return std::nullopt;
  Reduction reduction;
  reduction.keeps_axes = int_attribute(at.node(), "keepdims", 1) != 0;
  if (axes.given && !axes.list->empty()) {
    reduction.reduced = axis_flags(at, *axes.list, rank);
  } else {
    reduction.reduced.assign(rank, int_attribute(at.node(), "noop_with_empty_axes", 0) == 0);
  }
  return reduction;
}

SliceAxis SliceRequest::of(std::int64_t size) const {
  if (!given) return {0, 1, size};
  const auto from_front = [&](std::int64_t i) { return i < 0 ? i + size : i; };
  if (step > 0) {
    const auto first = std::clamp<std::int64_t>(from_front(start), 0, size);
    const auto last = std::clamp<std::int64_t>(from_front(end), 0, size);
    return {first, step, last > first ? (last - first - 1) / step + 1 : 0};
  }
  const auto first = std::clamp<std::int64_t>(from_front(start), -1, size - 1);
  const auto last = std::clamp<std::int64_t>(from_front(end), -1, size - 1);
  return {std::max<std::int64_t>(first, 0), step,
          first > last ? (first - last - 1) / -step + 1 : 0};
}

std::optional<std::vector<SliceRequest>> read_slice(const NodeView& at, std::size_t rank) {
  const auto starts = read_list(at, "starts", 1), ends = read_list(at, "ends", 2),
             axes = read_list(at, "axes", 3), steps = read_list(at, "steps", 4);
  if (!starts.given || !ends.given) at.fail("starts or ends are missing");
  if (!starts.list || !ends.list || (axes.given && !axes.list) || (steps.given && !steps.list)) {
    return std::nullopt;
  }
  const auto count = starts.list->size();
  if (ends.list->size() != count || (axes.given && axes.list->size() != count) ||
      (steps.given && steps.list->size() != count) || count > rank) {
    at.fail("starts, ends, axes and steps differ in length, or exceed the rank {}", rank);
  }
  std::vector<SliceRequest> requests(rank);
  for (std::size_t i = 0; i < count; ++i) {
    const auto axis = at.axis(axes.given ? (*axes.list)[i] : static_cast<std::int64_t>(i), rank);
    if (requests[axis].given) at.fail("axis {} is given twice", axis);
    const auto step = steps.given ? (*steps.list)[i] : 1;
    if (step == 0) at.fail("a step of 0");
    // The lowest step has no negative; one more is as far beyond every axis.
    const auto lowest = -std::numeric_limits<std::int64_t>::max();
    requests[axis] = {true, (*starts.list)[i], (*ends.list)[i], std::max(step, lowest)};
  }
  return requests;
}

namespace {

PadMode read_pad_mode(const NodeView& at) {
  const auto word = string_attribute(at.node(), "mode", "constant");
  if (word == "constant") return PadMode::Constant;
  if (word == "reflect") return PadMode::Reflect;
  if (word == "edge") return PadMode::Edge;
  if (word == "wrap") return PadMode::Wrap;
  at.fail("mode '{}' is none of constant, reflect, edge, wrap", printable(word));
}

}  // namespace

std::optional<Padding> read_padding(const NodeView& at, std::size_t rank) {
  const auto pads = read_list(at, "pads", 1);
  if (!pads.given) at.fail("pads are missing");
  std::optional<std::vector<std::int64_t>> axes;
  if (at.has(3)) {
    axes = at.integers(3);
    if (!axes) return std::nullopt;
  } else {
    axes.emplace();
    for (std::size_t i = 0; i < rank; ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (!pads.list) return std::nullopt;
  if (pads.list->size() != 2 * axes->size()) {
    at.fail("{} pads for {} axes, two each are needed", pads.list->size(), axes->size());
  }
  axis_flags(at, *axes, rank);
  Padding padding{read_pad_mode(at), std::vector<std::int64_t>(rank),
                  std::vector<std::int64_t>(rank)};
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = at.axis((*axes)[i], rank);
    padding.begin[axis] = (*pads.list)[i];
    padding.end[axis] = (*pads.list)[i + axes->size()];
  }
  return padding;
}

namespace {

/// `size` cut in `count` pieces, the last one smaller when it doesn't divide.
std::vector<Dim> equal_pieces(const NodeView& at, const Dim& size, std::size_t count) {
  if (size.size < 0) return std::vector<Dim>(count);
  const auto pieces = static_cast<std::int64_t>(count);
  const auto each = size.size / pieces + (size.size % pieces != 0 ? 1 : 0);
  const auto last = size.size - each * (pieces - 1);
  if (last < 0 || (at.opset() < 18 && last != each)) {
    at.fail("an axis of {} can't be split in {}", size.size, count);
  }
  std::vector<Dim> sizes(count, Dim{each, ""});
  sizes.back() = {last, ""};
  return sizes;
}

}  // namespace

std::optional<SplitPieces> read_split(const NodeView& at, const std::vector<Dim>& x) {
  SplitPieces pieces;
  pieces.axis = at.axis(int_attribute(at.node(), "axis", 0), x.size());
  const auto& whole = x[pieces.axis];
  const auto asked = read_list(at, "split", 1);
  if (asked.given && !asked.list) return std::nullopt;
  const auto outputs = at.output_count();
  if (!asked.given) {
    const auto count = int_attribute(at.node(), "num_outputs", static_cast<std::int64_t>(outputs));
    if (count != static_cast<std::int64_t>(outputs)) {
      at.fail("num_outputs is {} but it has {}", count, outputs);
    }
    pieces.sizes = equal_pieces(at, whole, outputs);
    return pieces;
  }
  if (asked.list->size() != outputs) {
    at.fail("{} sizes for {} outputs", asked.list->size(), outputs);
  }
  std::optional<std::int64_t> sum = 0;
  for (const auto size : *asked.list) {
    sum = size >= 0 && sum ? checked_add(*sum, size) : std::nullopt;
    pieces.sizes.push_back({size, ""});
  }
  if (!sum || (whole.size >= 0 && *sum != whole.size)) {
    at.fail("the pieces {} don't make up an axis of {}", shape_text(*asked.list), whole.size);
  }
  return pieces;
}

namespace {

constexpr std::int64_t kMostInRange = 1LL << 40;

std::int64_t integer_range(const NodeView& at, std::int64_t start, std::int64_t limit,
                           std::int64_t delta) {
  if (delta == 0) at.fail("a range in steps of 0 is endless");
  const bool up = delta > 0;
  if (up ? limit <= start : limit >= start) return 0;
  // Unsigned: the distance between two int64 needs all 64 bits.
  const auto low = static_cast<std::uint64_t>(up ? start : limit);
  const auto distance = static_cast<std::uint64_t>(up ? limit : start) - low;
  const auto step = up ? static_cast<std::uint64_t>(delta) : 0 - static_cast<std::uint64_t>(delta);
  const auto count = (distance - 1) / step + 1;
  if (count > kMostInRange) at.fail("a range of {} elements", count);
  return static_cast<std::int64_t>(count);
}

std::int64_t real_range(const NodeView& at, double start, double limit, double delta) {
  const double count = std::ceil((limit - start) / delta);
  if (!(count <= static_cast<double>(kMostInRange))) {
    at.fail("a range from {} to {} in steps of {} is endless", start, limit, delta);
  }
  return count > 0 ? static_cast<std::int64_t>(count) : 0;
}

}  // namespace

std::optional<std::int64_t> range_count(const NodeView& at) {
  const auto dtype = at.common_dtype();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto* dims = at.shape(i);
    if (dims != nullptr && !dims->empty() && (dims->size() > 1 || (*dims)[0].size != 1)) {
      at.fail("input {} has shape {}, a scalar is needed", i, shape_text(*dims));
    }
  }
  if (!dtype) return std::nullopt;
  if (is_floating(*dtype)) {
    const auto start = at.reals(0), limit = at.reals(1), delta = at.reals(2);
    if (!start || !limit || !delta) return std::nullopt;
    return real_range(at, start->at(0), limit->at(0), delta->at(0));
  }
  const auto start = at.integers(0), limit = at.integers(1), delta = at.integers(2);
  if (!start || !limit || !delta) return std::nullopt;
  return integer_range(at, start->at(0), limit->at(0), delta->at(0));
}

std::vector<std::int64_t> steps_of(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> steps(shape.size(), 1);
  // Unsigned: beside an axis of size 0 the others may be of any size.
  for (std::size_t i = shape.size(); i-- > 1;) {
    steps[i - 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(steps[i]) *
                                             static_cast<std::uint64_t>(shape[i]));
  }
  return steps;
}

namespace {

std::vector<std::int64_t> known_sizes(const NodeView& at) {
  auto sizes = at.sizes(0);
  if (!sizes) at.fail("the shape of its input is not known");
  return std::move(*sizes);
}

Strided read_transpose(const NodeView& at) {
  const auto x = known_sizes(at);
  const auto steps = steps_of(x);
  std::vector<std::int64_t> order;
  for (std::size_t i = x.size(); i > 0; --i) order.push_back(static_cast<std::int64_t>(i - 1));
  Strided how;
  for (const auto axis : ints_attribute(at.node(), "perm", order)) {
    how.shape.push_back(x[at.axis(axis, x.size())]);
    how.steps.push_back(steps[at.axis(axis, x.size())]);
  }
  return how;
}

Strided read_slice_strided(const NodeView& at) {
  const auto x = known_sizes(at);
  const auto requests = read_slice(at, x.size());
  if (!requests) at.fail("its starts, ends, axes or steps are not known");
  Strided how{{}, steps_of(x), 0};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto slice = (*requests)[i].of(x[i]);
    how.start += slice.count > 0 ? slice.start * how.steps[i] : 0;
    // The step is only taken between two elements; a single one may come with any.
    how.steps[i] = slice.count > 1 ? how.steps[i] * slice.step : 0;
    how.shape.push_back(slice.count);
  }
  return how;
}

Strided read_expand(const NodeView& at) {
  const auto x = known_sizes(at);
  const auto steps = steps_of(x);
  Strided how;
  const auto& y = *at.output_shape(0);
  for (std::size_t i = 0; i < y.size(); ++i) {
    how.shape.push_back(y[i].size);
    const auto skipped = y.size() - x.size();
    how.steps.push_back(i < skipped || x[i - skipped] == 1 ? 0 : steps[i - skipped]);
  }
  return how;
}

Strided read_tile(const NodeView& at) {
  const auto x = known_sizes(at);
  const auto steps = steps_of(x);
  const auto repeats = at.integers(1);
  if (!repeats || repeats->size() != x.size()) at.fail("its repeats are not known");
  Strided how;
  for (std::size_t i = 0; i < x.size(); ++i) {
    how.shape.insert(how.shape.end(), {(*repeats)[i], x[i]});
    how.steps.insert(how.steps.end(), {0, steps[i]});
  }
  return how;
}

/// [N,C,H,W] with C or H and W split by the block, then permuted.
Strided read_blocks(const NodeView& at) {
  const auto x = known_sizes(at);
  const auto block = int_attribute(at.node(), "blocksize", 0);
  const bool to_space = at.op() == "DepthToSpace";
  const bool by_column = string_attribute(at.node(), "mode", "DCR") == "CRD";
  std::vector<std::int64_t> split, order;
  if (to_space) {
    const auto depth = x[1] / block / block;
    split = by_column ? std::vector{x[0], depth, block, block, x[2], x[3]}
                      : std::vector{x[0], block, block, depth, x[2], x[3]};
    order = by_column ? std::vector<std::int64_t>{0, 1, 4, 2, 5, 3}
                      : std::vector<std::int64_t>{0, 3, 4, 1, 5, 2};
  } else {
    split = {x[0], x[1], x[2] / block, block, x[3] / block, block};
    order = by_column ? std::vector<std::int64_t>{0, 1, 3, 5, 2, 4}
                      : std::vector<std::int64_t>{0, 3, 5, 1, 2, 4};
  }
  const auto steps = steps_of(split);
  Strided how;
  for (const auto axis : order) {
    how.shape.push_back(split[static_cast<std::size_t>(axis)]);
    how.steps.push_back(steps[static_cast<std::size_t>(axis)]);
  }
  return how;
}

}  // namespace

Strided read_strided(const NodeView& at) {
  if (at.op() == "Transpose") return read_transpose(at);
  if (at.op() == "Slice") return read_slice_strided(at);
  if (at.op() == "Expand") return read_expand(at);
  if (at.op() == "Tile") return read_tile(at);
  return read_blocks(at);
}

void copy_strided(const Strided& how, const std::byte* from, std::byte* to,
                  std::size_t element_bytes) {
  const auto rank = how.shape.size();
  auto count = checked_product(how.shape).value_or(0);
  std::vector<std::int64_t> index(rank, 0);
  auto at = how.start;
  for (; count > 0; --count, to += element_bytes) {
    std::memcpy(to, from + at * static_cast<std::int64_t>(element_bytes), element_bytes);
    for (auto axis = rank; axis-- > 0;) {
      at += how.steps[axis];
      if (++index[axis] < how.shape[axis]) break;
      at -= how.steps[axis] * how.shape[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace inferometer::graph
