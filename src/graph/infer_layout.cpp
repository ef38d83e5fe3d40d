// SPDX-License-Identifier: Apache-2.0
// Shapes through operators that move data without computing.
#include <algorithm>
#include <set>

#include "graph/builder.hpp"
#include "graph/operators.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

/// The product of the axes first..last-1: a size, a lone symbol, or unknown.
Dim product_dim(const Inference& at, const std::vector<Dim>& shape, std::size_t first,
                std::size_t last) {
  std::int64_t product = 1;
  Dim open{1, ""};
  std::size_t open_count = 0;
  for (std::size_t i = first; i < last; ++i) {
    if (shape[i].size < 0) {
      open = shape[i];
      ++open_count;
      continue;
    }
    const auto next = checked_mul(product, shape[i].size);
    if (!next) at.fail("the size of {} overflows", shape_text(shape));
    product = *next;
  }
  if (open_count == 0) return {product, ""};
  return open_count == 1 && product == 1 ? open : Dim{};
}

/// Axes given as attribute or, in newer opsets, as a constant input; nullopt = not constant.
struct Axes {
  bool given = false;
  std::optional<std::vector<std::int64_t>> list;
};

Axes read_axes(const Inference& at) {
  constexpr std::int64_t kMaxAxes = 64;
  if (at.node().attributes.count("axes") != 0) {
    return {true, ints_attribute(at.node(), "axes", {})};
  }
  if (!at.has(1)) return {};
  const auto* constant = at.constant(1);
  return {true,
          constant != nullptr ? std::optional(as_integers(*constant, kMaxAxes)) : std::nullopt};
}

std::set<std::size_t> axis_set(const Inference& at, const std::vector<std::int64_t>& axes,
                               std::size_t rank) {
  std::set<std::size_t> set;
  for (const auto axis : axes) {
    if (!set.insert(at.axis(axis, rank)).second) at.fail("axis {} is given twice", axis);
  }
  return set;
}

/// What a Reshape asks for, before -1 is worked out. `at` checks that at most one is.
std::vector<Dim> wanted_shape(const Inference& at, const std::vector<Dim>& x,
                              const std::vector<std::int64_t>& target, std::size_t& rest) {
  const bool keep_zero = int_attribute(at.node(), "allowzero", 0) != 0;
  std::vector<Dim> y;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] < -1) at.fail("size {} in the wanted shape", target[i]);
    if (target[i] == -1) {
      if (rest != target.size()) at.fail("more than one -1 in the wanted shape");
      rest = i;
    }
    const bool copied = target[i] == 0 && !keep_zero;
    if (copied && i >= x.size()) at.fail("0 at axis {} copies an axis of {}", i, shape_text(x));
    y.push_back(copied ? x[i] : Dim{target[i], ""});
  }
  return y;
}

/// Takes from both lists what they share, so that symbols needn't be known to divide.
void cancel(std::vector<Dim>& from, std::vector<Dim>& to) {
  for (auto it = to.begin(); it != to.end();) {
    const auto same =
        it->size < 0 && !it->symbol.empty() ? std::find(from.begin(), from.end(), *it) : from.end();
    if (same == from.end()) {
      ++it;
    } else {
      from.erase(same);
      it = to.erase(it);
    }
  }
}

/// What -1 stands for when `from` has open axes: its only one if the fixed sizes are used up.
Dim remaining_dim(const Inference& at, std::vector<Dim> from, const Dim& want) {
  const auto open = std::find_if(from.begin(), from.end(), [](const Dim& d) { return d.size < 0; });
  if (want.size <= 0 || open == from.end()) return {};
  const auto dim = *open;
  from.erase(open);
  return product_dim(at, from, 0, from.size()).size == want.size ? dim : Dim{};
}

void solve_rest(const Inference& at, const std::vector<Dim>& x, std::vector<Dim>& y,
                std::size_t rest) {
  auto from = x;
  auto to = y;
  if (rest < y.size()) to.erase(to.begin() + static_cast<std::ptrdiff_t>(rest));
  cancel(from, to);
  const auto have = product_dim(at, from, 0, from.size());
  const auto want = product_dim(at, to, 0, to.size());
  if (have.size < 0 || want.size < 0) {
    if (rest < y.size()) y[rest] = remaining_dim(at, std::move(from), want);
    return;
  }
  const bool divides = want.size != 0 ? have.size % want.size == 0 : have.size == 0;
  if (!divides || (rest == y.size() && have.size != want.size)) {
    at.fail("input {} can't be reshaped to {}", shape_text(x), shape_text(y));
  }
  if (rest < y.size()) y[rest] = {want.size != 0 ? have.size / want.size : 0, ""};
}

}  // namespace

void infer_concat(Inference& at) {
  const auto dtype = at.common_dtype();
  if (at.node().attributes.count("axis") == 0) at.fail("attribute axis is missing");
  const auto* first = at.shape(0);
  if (first == nullptr) return at.set(0, dtype, std::nullopt);
  if (first->empty()) at.fail("scalars can't be concatenated");
  const auto axis = at.axis(int_attribute(at.node(), "axis", 0), first->size());
  auto y = *first;
  for (std::size_t i = 1; i < at.input_count(); ++i) {
    const auto* next = at.shape(i);
    if (next == nullptr) return at.set(0, dtype, std::nullopt);
    if (next->size() != y.size()) {
      at.fail("inputs {} and {} differ in rank", shape_text(*first), shape_text(*next));
    }
    for (std::size_t k = 0; k < y.size(); ++k) {
      const auto& other = (*next)[k];
      if (k == axis) {
        const bool known = y[k].size >= 0 && other.size >= 0;
        const auto sum =
            known ? checked_add(y[k].size, other.size) : std::optional<std::int64_t>(-1);
        if (!sum) at.fail("the size of axis {} overflows", k);
        y[k] = {*sum, ""};
      } else if (y[k].size >= 0 && other.size >= 0 && y[k].size != other.size) {
        at.fail("inputs {} and {} differ outside of axis {}", shape_text(*first), shape_text(*next),
                axis);
      } else if (y[k].size < 0 && (other.size >= 0 || y[k].symbol.empty())) {
        y[k] = other;
      }
    }
  }
  at.set(0, dtype, y);
}

void infer_flatten(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto asked = int_attribute(at.node(), "axis", 1);
  // Unlike elsewhere, axis = rank is allowed.
  const auto rank = x->size();
  const auto split = asked == static_cast<std::int64_t>(rank) ? rank : at.axis(asked, rank);
  at.set(0, at.dtype(0),
         std::vector<Dim>{product_dim(at, *x, 0, split), product_dim(at, *x, split, rank)});
}

void infer_reshape(Inference& at) {
  constexpr std::int64_t kMaxAxes = 64;
  const auto* target = at.constant(1);
  const auto* x = at.shape(0);
  if (target == nullptr) {
    const auto* rank = at.shape(1);
    if (rank == nullptr || rank->size() != 1 || (*rank)[0].size < 0 || (*rank)[0].size > kMaxAxes) {
      return at.set(0, at.dtype(0), std::nullopt);
    }
    return at.set(0, at.dtype(0), std::vector<Dim>(static_cast<std::size_t>((*rank)[0].size)));
  }
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  if (target->shape.size() != 1) at.fail("the wanted shape must have one axis");
  const auto sizes = as_integers(*target, kMaxAxes);
  auto rest = sizes.size();
  auto y = wanted_shape(at, *x, sizes, rest);
  solve_rest(at, *x, y, rest);
  at.set(0, at.dtype(0), y);
}

void infer_transpose(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  std::vector<std::int64_t> reversed;
  for (std::size_t i = x->size(); i > 0; --i) reversed.push_back(static_cast<std::int64_t>(i - 1));
  const auto order = ints_attribute(at.node(), "perm", reversed);
  if (order.size() != x->size()) {
    at.fail("perm {} doesn't suit input {}", shape_text(order), shape_text(*x));
  }
  axis_set(at, order, x->size());
  std::vector<Dim> y;
  for (const auto axis : order) y.push_back((*x)[at.axis(axis, x->size())]);
  at.set(0, at.dtype(0), y);
}

void infer_shape_of(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, DType::I64, std::vector<Dim>(1));
  const auto rank = static_cast<std::int64_t>(x->size());
  const auto clamp = [&](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank);
  };
  const auto first = clamp(int_attribute(at.node(), "start", 0));
  const auto last = clamp(int_attribute(at.node(), "end", rank));
  at.set(0, DType::I64, std::vector<Dim>{{std::max<std::int64_t>(0, last - first), ""}});
}

void infer_gather(Inference& at) {
  const auto* x = at.shape(0);
  const auto* indices = at.shape(1);
  if (x == nullptr || indices == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto axis = at.axis(int_attribute(at.node(), "axis", 0), x->size());
  if (const auto* constant = at.constant(1); constant != nullptr && (*x)[axis].size >= 0) {
    for (const auto index : as_integers(*constant)) {
      if (index < -(*x)[axis].size || index >= (*x)[axis].size) {
        at.fail("index {} is outside of axis {} of {}", index, axis, shape_text(*x));
      }
    }
  }
  auto y = *x;
  const auto at_axis = y.erase(y.begin() + static_cast<std::ptrdiff_t>(axis));
  y.insert(at_axis, indices->begin(), indices->end());
  at.set(0, at.dtype(0), y);
}

void infer_unsqueeze(Inference& at) {
  const auto* x = at.shape(0);
  const auto axes = read_axes(at);
  if (!axes.given) at.fail("axes are missing");
  if (x == nullptr || !axes.list) return at.set(0, at.dtype(0), std::nullopt);
  const auto rank = x->size() + axes.list->size();
  const auto set = axis_set(at, *axes.list, rank);
  std::vector<Dim> y;
  auto next = x->begin();
  for (std::size_t i = 0; i < rank; ++i) y.push_back(set.count(i) != 0 ? Dim{1, ""} : *next++);
  at.set(0, at.dtype(0), y);
}

void infer_squeeze(Inference& at) {
  const auto* x = at.shape(0);
  const auto axes = read_axes(at);
  if (x == nullptr || (axes.given && !axes.list)) return at.set(0, at.dtype(0), std::nullopt);
  const bool all = !axes.given;
  const auto set = all ? std::set<std::size_t>() : axis_set(at, *axes.list, x->size());
  std::vector<Dim> y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const auto& dim = (*x)[i];
    if (all && dim.size < 0) return at.set(0, at.dtype(0), std::nullopt);
    if (set.count(i) != 0 && dim.size >= 0 && dim.size != 1) {
      at.fail("axis {} of {} isn't 1", i, shape_text(*x));
    }
    if (all ? dim.size != 1 : set.count(i) == 0) y.push_back(dim);
  }
  at.set(0, at.dtype(0), y);
}

void infer_reduce(Inference& at) {
  const auto* x = at.shape(0);
  const auto axes = read_axes(at);
  if (x == nullptr || (axes.given && !axes.list)) return at.set(0, at.dtype(0), std::nullopt);
  const bool none = !axes.given || axes.list->empty();
  if (none && int_attribute(at.node(), "noop_with_empty_axes", 0) != 0) {
    return at.set(0, at.dtype(0), *x);
  }
  const auto set = none ? std::set<std::size_t>() : axis_set(at, *axes.list, x->size());
  const bool keep = int_attribute(at.node(), "keepdims", 1) != 0;
  std::vector<Dim> y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const bool reduced = none || set.count(i) != 0;
    if (!reduced) y.push_back((*x)[i]);
    if (reduced && keep) y.push_back({1, ""});
  }
  at.set(0, at.dtype(0), y);
}

}  // namespace inferometer::graph
