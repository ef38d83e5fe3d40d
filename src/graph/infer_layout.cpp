// SPDX-License-Identifier: Apache-2.0
// Shapes through operators that move data without computing.
#include <algorithm>

#include "graph/geometry.hpp"
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

/// What a Reshape asks for, before -1 is worked out. `at` checks that at most one is.
std::vector<Dim> wanted_shape(const Inference& at, const std::vector<Dim>& x,
                              const std::vector<Element>& target, std::size_t& rest) {
  const bool keep_zero = int_attribute(at.node(), "allowzero", 0) != 0;
  std::vector<Dim> y;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!target[i].number) {
      y.push_back({-1, target[i].symbol});
      continue;
    }
    const auto size = *target[i].number;
    if (size < -1) at.fail("size {} in the wanted shape", size);
    if (size == -1) {
      if (rest != target.size()) at.fail("more than one -1 in the wanted shape");
      rest = i;
    }
    const bool copied = size == 0 && !keep_zero;
    if (copied && i >= x.size()) at.fail("0 at axis {} copies an axis of {}", i, shape_text(x));
    y.push_back(copied ? x[i] : Dim{size, ""});
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
  const Dim dim{open->size, open->symbol};
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
  const auto* x = at.shape(0);
  const auto* target = at.shape(1);
  if (target != nullptr && target->size() != 1) at.fail("the wanted shape must have one axis");
  at.integers(1);  // a constant that is no list of integers is refused
  const auto wanted = at.elements(1);
  if (!wanted) {
    const auto rank = target != nullptr ? (*target)[0].size : -1;
    if (rank < 0 || rank > kMaxElements) return at.set(0, at.dtype(0), std::nullopt);
    return at.set(0, at.dtype(0), std::vector<Dim>(static_cast<std::size_t>(rank)));
  }
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  auto rest = wanted->size();
  auto y = wanted_shape(at, *x, *wanted, rest);
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
  axis_flags(at, order, x->size());
  std::vector<Dim> y;
  for (const auto axis : order) y.push_back((*x)[at.axis(axis, x->size())]);
  at.set(0, at.dtype(0), y);
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
  const auto axes = read_list(at, "axes", 1);
  if (!axes.given) at.fail("axes are missing");
  if (x == nullptr || !axes.list) return at.set(0, at.dtype(0), std::nullopt);
  const auto rank = x->size() + axes.list->size();
  const auto added = axis_flags(at, *axes.list, rank);
  std::vector<Dim> y;
  auto next = x->begin();
  for (std::size_t i = 0; i < rank; ++i) y.push_back(added[i] ? Dim{1, ""} : *next++);
  at.set(0, at.dtype(0), y);
}

void infer_squeeze(Inference& at) {
  const auto* x = at.shape(0);
  const auto axes = read_list(at, "axes", 1);
  if (x == nullptr || (axes.given && !axes.list)) return at.set(0, at.dtype(0), std::nullopt);
  const bool all = !axes.given;
  const auto named =
      all ? std::vector<bool>(x->size(), false) : axis_flags(at, *axes.list, x->size());
  std::vector<Dim> y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const auto& dim = (*x)[i];
    if (all && dim.size < 0) return at.set(0, at.dtype(0), std::nullopt);
    if (named[i] && dim.size >= 0 && dim.size != 1) {
      at.fail("axis {} of {} isn't 1", i, shape_text(*x));
    }
    if (all ? dim.size != 1 : !named[i]) y.push_back(dim);
  }
  at.set(0, at.dtype(0), y);
}

void infer_gather_elements(Inference& at) {
  const auto* x = at.shape(0);
  const auto* indices = at.shape(1);
  if (x != nullptr && indices != nullptr) {
    if (x->size() != indices->size()) {
      at.fail("input {} and indices {} differ in rank", shape_text(*x), shape_text(*indices));
    }
    const auto axis = at.axis(int_attribute(at.node(), "axis", 0), x->size());
    for (std::size_t i = 0; i < x->size(); ++i) {
      if (i != axis && (*x)[i].size >= 0 && (*indices)[i].size > (*x)[i].size) {
        at.fail("indices {} reach beyond input {}", shape_text(*indices), shape_text(*x));
      }
    }
  }
  at.set(0, at.dtype(0), indices != nullptr ? std::optional(*indices) : std::nullopt);
}

void infer_gather_nd(Inference& at) {
  const auto* x = at.shape(0);
  const auto* indices = at.shape(1);
  if (x == nullptr || indices == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto batch = int_attribute(at.node(), "batch_dims", 0);
  const auto ranks = static_cast<std::int64_t>(std::min(x->size(), indices->size()));
  if (batch < 0 || batch >= ranks) at.fail("batch_dims is {}", batch);
  const auto depth = indices->back().size;
  if (depth < 0) return at.set(0, at.dtype(0), std::nullopt);
  if (depth < 1 || depth > static_cast<std::int64_t>(x->size()) - batch) {
    at.fail("indices {} don't suit input {}", shape_text(*indices), shape_text(*x));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch); ++i) {
    if ((*x)[i].size >= 0 && (*indices)[i].size >= 0 && (*x)[i].size != (*indices)[i].size) {
      at.fail("indices {} and input {} differ in their batch", shape_text(*indices),
              shape_text(*x));
    }
  }
  std::vector<Dim> y(indices->begin(), indices->end() - 1);
  y.insert(y.end(), x->begin() + batch + depth, x->end());
  at.set(0, at.dtype(0), y);
}

}  // namespace inferometer::graph
