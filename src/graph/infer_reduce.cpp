// SPDX-License-Identifier: Apache-2.0
// Shapes through operators that reduce axes.
#include "graph/geometry.hpp"
#include "graph/operators.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

std::vector<Dim> without(const std::vector<Dim>& x, const Reduction& reduction) {
  std::vector<Dim> y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!reduction.reduced[i]) y.push_back(x[i]);
    if (reduction.reduced[i] && reduction.keeps_axes) y.push_back({1, ""});
  }
  return y;
}

}  // namespace

void infer_reduce(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto reduction = read_reduction(at, x->size());
  if (reduction) return at.set(0, at.dtype(0), without(*x, *reduction));
  // With its axes kept, the rank is known even so.
  const bool keeps = int_attribute(at.node(), "keepdims", 1) != 0;
  at.set(0, at.dtype(0), keeps ? std::optional(std::vector<Dim>(x->size())) : std::nullopt);
}

void infer_arg_reduce(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, DType::I64, std::nullopt);
  Reduction reduction{std::vector<bool>(x->size(), false),
                      int_attribute(at.node(), "keepdims", 1) != 0};
  const auto axis = at.axis(int_attribute(at.node(), "axis", 0), x->size());
  if ((*x)[axis].size == 0) at.fail("axis {} of {} is empty", axis, shape_text(*x));
  reduction.reduced[axis] = true;
  at.set(0, DType::I64, without(*x, reduction));
}

}  // namespace inferometer::graph
