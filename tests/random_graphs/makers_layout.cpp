// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "makers.hpp"

namespace inferometer::random_graphs {
namespace {

using graph::ValueId;

std::int64_t at(const Sizes& sizes, std::int64_t axis) {
  return sizes[static_cast<std::size_t>(axis)];
}

/// A float with an axis that may be touched.
std::optional<Live> with_axis(Draft& draft) {
  return draft.any_of_rank(draft.first_axis() + 1);
}

/// Counted from the end now and then, as files may.
std::int64_t written(Draft& draft, ValueId id, std::int64_t axis) {
  return draft.random.chance(30) ? axis - static_cast<std::int64_t>(draft.rank(id)) : axis;
}

Sizes some_axes(Draft& draft, ValueId id) {
  Sizes axes;
  for (auto axis = draft.first_axis(); axis < draft.rank(id); ++axis)
    if (draft.random.chance(50)) axes.push_back(static_cast<std::int64_t>(axis));
  if (axes.empty()) axes.push_back(draft.any_axis(id));
  return axes;
}

bool make_transpose(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  Sizes order(draft.rank(x->id));
  std::iota(order.begin(), order.end(), 0);
  for (auto i = static_cast<std::int64_t>(order.size()) - 1;
       i > static_cast<std::int64_t>(draft.first_axis()); --i) {
    const auto j = draft.random.between(static_cast<std::int64_t>(draft.first_axis()), i);
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
  draft.keep(draft.node("Transpose", {x->id}, {{"perm", order}}), x->bound);
  return true;
}

/// Sizes of the axes that may be touched, cut otherwise.
Sizes recut(Draft& draft, const Sizes& sizes) {
  const auto first = static_cast<std::ptrdiff_t>(draft.first_axis());
  auto left =
      std::accumulate(sizes.begin() + first, sizes.end(), std::int64_t{1}, std::multiplies<>());
  Sizes cut;
  while (left > 1 && cut.size() < 3) {
    Sizes divisors;
    for (std::int64_t d = 2; d <= left; ++d)
      if (left % d == 0) divisors.push_back(d);
    cut.push_back(cut.size() == 2 ? left : draft.random.pick(divisors));
    left /= cut.back();
  }
  if (left > 1) cut.back() *= left;
  if (cut.empty() || draft.random.chance(15)) cut.push_back(1);
  return cut;
}

bool make_reshape(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto sizes = draft.sizes(x->id);
  auto wanted = recut(draft, sizes);
  const bool batch = draft.first_axis() == 1;
  if (batch) wanted.insert(wanted.begin(), draft.random.chance(50) ? 0 : -1);
  if (wanted.front() != -1 && draft.random.chance(30)) wanted.back() = -1;
  ValueId shape = graph::kNoValue;
  if (batch &&
      draft.random.chance(40)) {  // as exporters write it: computed from the input's own shape
    const auto rows = draft.node("Slice", {draft.node("Shape", {x->id}), draft.integers({0}),
                                           draft.integers({1}), draft.integers({0})});
    wanted.erase(wanted.begin());
    shape = draft.node("Concat", {rows, draft.integers(wanted)}, {{"axis", std::int64_t{0}}});
  } else {
    shape = draft.integers(wanted);
  }
  draft.keep(draft.node("Reshape", {x->id, shape}), x->bound);
  return true;
}

bool make_flatten(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.first_axis() == 1 ? 1 : draft.any_axis(x->id);
  draft.keep(draft.node("Flatten", {x->id}, {{"axis", axis}}), x->bound);
  return true;
}

bool make_concat(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.any_axis(x->id);
  auto wanted = draft.sizes(x->id);
  wanted[static_cast<std::size_t>(axis)] = 0;
  std::vector<Live> fitting;
  for (const auto& y : draft.pool) {
    auto sizes = draft.sizes(y.id);
    if (sizes.size() != wanted.size()) continue;
    sizes[static_cast<std::size_t>(axis)] = 0;
    if (sizes == wanted) fitting.push_back(y);
  }
  std::vector<ValueId> parts = {x->id};
  double bound = x->bound;
  std::int64_t size = at(draft.sizes(x->id), axis);
  for (auto more = draft.random.between(1, 3); more > 0; --more) {
    const auto& y = draft.random.pick(fitting);
    parts.push_back(y.id);
    bound = std::max(bound, y.bound);
    size += at(draft.sizes(y.id), axis);
  }
  wanted[static_cast<std::size_t>(axis)] = size;
  if (!draft.fits(wanted)) return false;
  draft.keep(draft.node("Concat", parts, {{"axis", written(draft, x->id, axis)}}), bound);
  return true;
}

bool make_split(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.any_axis(x->id);
  const auto size = at(draft.sizes(x->id), axis);
  if (size < 2) return false;
  const auto first = draft.random.between(1, size - 1);
  const auto parts = draft.nodes("Split", {x->id, draft.integers({first, size - first})}, 2,
                                 {{"axis", written(draft, x->id, axis)}});
  for (const auto part : parts) draft.keep(part, x->bound);
  return true;
}

bool make_slice(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.any_axis(x->id);
  const auto size = at(draft.sizes(x->id), axis);
  const auto low = draft.random.between(0, size - 1), high = draft.random.between(low + 1, size);
  const auto step = draft.random.between(1, 2);
  const bool backwards = draft.random.chance(25);
  // Backwards from high - 1 to low: to the very beginning when low is 0.
  const auto start = backwards ? high - 1 : low - (draft.random.chance(30) ? size : 0);
  const auto end = backwards ? (low == 0 ? -size - 1 : low - 1) : (high == size ? INT64_MAX : high);
  const auto id = draft.node("Slice", {x->id, draft.integers({start}), draft.integers({end}),
                                       draft.integers({written(draft, x->id, axis)}),
                                       draft.integers({backwards ? -step : step})});
  draft.keep(id, x->bound);
  return true;
}

bool make_pad(Draft& draft) {
  static const std::vector<std::string> modes = {"constant", "reflect", "edge"};
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto mode = draft.random.pick(modes);
  auto sizes = draft.sizes(x->id);
  Sizes pads(2 * sizes.size(), 0);
  for (auto i = draft.first_axis(); i < sizes.size(); ++i) {
    const auto most = mode == "reflect" ? std::min<std::int64_t>(2, sizes[i] - 1) : 2;
    pads[i] = draft.random.between(0, most);
    pads[i + sizes.size()] = draft.random.between(0, most);
    sizes[i] += pads[i] + pads[i + pads.size() / 2];
  }
  if (!draft.fits(sizes)) return false;
  std::vector<ValueId> inputs = {x->id, draft.integers(pads)};
  if (mode == "constant" && draft.random.chance(50)) inputs.push_back(draft.real(0.25F));
  draft.keep(draft.node("Pad", inputs, {{"mode", mode}}), std::max(x->bound, 0.25));
  return true;
}

bool make_gather(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.any_axis(x->id);
  auto sizes = draft.sizes(x->id);
  const auto size = at(sizes, axis);
  if (draft.random.chance(30)) {
    const auto one = draft.integer(draft.random.between(-size, size - 1));
    draft.keep(draft.node("Gather", {x->id, one}, {{"axis", axis}}), x->bound);
    return true;
  }
  Sizes picked(static_cast<std::size_t>(draft.random.between(1, 5)));
  for (auto& index : picked) index = draft.random.between(-size, size - 1);
  sizes[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(picked.size());
  if (!draft.fits(sizes)) return false;
  draft.keep(draft.node("Gather", {x->id, draft.integers(picked)}, {{"axis", axis}}), x->bound);
  return true;
}

bool make_unsqueeze(Draft& draft) {
  const auto x = draft.any_of_rank(draft.first_axis(), kHighestRank - 1);
  if (!x) return false;
  const auto axis = draft.random.between(static_cast<std::int64_t>(draft.first_axis()),
                                         static_cast<std::int64_t>(draft.rank(x->id)));
  draft.keep(draft.node("Unsqueeze", {x->id, draft.integers({axis})}), x->bound);
  return true;
}

bool make_squeeze(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.any_axis(x->id);
  if (at(draft.sizes(x->id), axis) != 1) return false;
  draft.keep(draft.node("Squeeze", {x->id, draft.integers({written(draft, x->id, axis)})}),
             x->bound);
  return true;
}

bool make_expand(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  auto sizes = draft.sizes(x->id);
  Sizes wanted;
  for (auto& size : sizes) {
    if (size == 1) size = draft.random.between(1, 4);
    wanted.push_back(size < 0 ? 1 : size);
  }
  if (!draft.fits(sizes)) return false;
  draft.keep(draft.node("Expand", {x->id, draft.integers(wanted)}), x->bound);
  return true;
}

bool make_tile(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  auto sizes = draft.sizes(x->id);
  Sizes repeats(sizes.size(), 1);
  const auto axis = static_cast<std::size_t>(draft.any_axis(x->id));
  repeats[axis] = draft.random.between(2, 3);
  sizes[axis] *= repeats[axis];
  if (!draft.fits(sizes)) return false;
  draft.keep(draft.node("Tile", {x->id, draft.integers(repeats)}), x->bound);
  return true;
}

bool make_reduce(Draft& draft) {
  static const std::vector<std::string> ops = {"ReduceMean",     "ReduceSum", "ReduceMax",
                                               "ReduceMin",      "ReduceL1",  "ReduceLogSumExp",
                                               "ReduceSumSquare"};
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto& op = draft.random.pick(ops);
  const auto axes = some_axes(draft, x->id);
  double count = 1;
  for (const auto axis : axes) count *= static_cast<double>(at(draft.sizes(x->id), axis));
  Attributes attributes = {{"keepdims", draft.random.between(0, 1)}};
  std::vector<ValueId> inputs = {x->id};
  if (op == "ReduceSum" || draft.opset() >= 18)
    inputs.push_back(draft.integers(axes));
  else
    attributes["axes"] = axes;
  const double bound = op == "ReduceSumSquare"                 ? count * x->bound * x->bound
                       : op == "ReduceSum" || op == "ReduceL1" ? count * x->bound
                       : op == "ReduceLogSumExp"               ? x->bound + std::log(count)
                                                               : x->bound;
  draft.keep(draft.node(op, inputs, attributes), bound);
  return true;
}

bool make_cumulated(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.any_axis(x->id);
  const auto size = static_cast<double>(at(draft.sizes(x->id), axis));
  const auto id = draft.node(
      "CumSum", {x->id, draft.integer(axis)},
      {{"exclusive", draft.random.between(0, 1)}, {"reverse", draft.random.between(0, 1)}});
  draft.keep(id, size * x->bound);
  return true;
}

bool make_triangle(Draft& draft) {
  if (draft.opset() < 14) return false;
  const auto x = draft.any_of_rank(draft.first_axis() + 2);
  if (!x) return false;
  draft.keep(draft.node("Trilu", {x->id, draft.integer(draft.random.between(-1, 1))},
                        {{"upper", draft.random.between(0, 1)}}),
             x->bound);
  return true;
}

/// The values only: equal ones may stand in either order, their indices would tell.
bool make_largest(Draft& draft) {
  const auto x = with_axis(draft);
  if (!x) return false;
  const auto axis = draft.any_axis(x->id);
  const auto k = draft.random.between(1, at(draft.sizes(x->id), axis));
  const auto ids =
      draft.nodes("TopK", {x->id, draft.integers({k})}, 2,
                  {{"axis", written(draft, x->id, axis)}, {"largest", draft.random.between(0, 1)}});
  draft.keep(ids[0], x->bound);
  return true;
}

// Some more than once: likelier.
constexpr Maker kMakers[] = {
    make_transpose, make_reshape,   make_reshape,  make_flatten, make_concat,
    make_concat,    make_split,     make_slice,    make_pad,     make_gather,
    make_unsqueeze, make_squeeze,   make_expand,   make_tile,    make_reduce,
    make_reduce,    make_cumulated, make_triangle, make_largest,
};

}  // namespace

std::span<const Maker> layout_makers() {
  return kMakers;
}

}  // namespace inferometer::random_graphs
