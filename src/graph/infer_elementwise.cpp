// SPDX-License-Identifier: Apache-2.0
// Shapes through operators that keep or broadcast them.
#include "graph/elements.hpp"
#include "graph/onnx_types.hpp"
#include "graph/operators.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

using Shape = std::optional<std::vector<Dim>>;

Shape copy_of(const std::vector<Dim>* shape) {
  return shape != nullptr ? std::optional(*shape) : std::nullopt;
}

std::vector<Dim> broadcast(const Inference& at, const std::vector<Dim>& a,
                           const std::vector<Dim>& b) {
  const auto& longer = a.size() >= b.size() ? a : b;
  const auto& shorter = a.size() >= b.size() ? b : a;
  auto y = longer;
  const auto shift = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    const auto merged = broadcast_dim(longer[i + shift], shorter[i]);
    if (!merged) at.fail("shapes {} and {} can't be broadcast", shape_text(a), shape_text(b));
    y[i + shift] = *merged;
  }
  return y;
}

/// Of all inputs; nullopt when one isn't known.
Shape broadcast_all(const Inference& at) {
  Shape y = std::vector<Dim>{};
  for (std::size_t i = 0; i < at.input_count(); ++i) {
    if (!at.has(i)) at.fail("input {} must not be left out", i);
    const auto* x = at.shape(i);
    if (x == nullptr) return std::nullopt;
    y = broadcast(at, *y, *x);
  }
  return y;
}

void expect_dtype(const Inference& at, std::size_t input, DType wanted) {
  const auto dtype = at.dtype(input);
  if (dtype && *dtype != wanted) {
    at.fail("input {} is of dtype {}, {} is needed", input, to_string(*dtype), to_string(wanted));
  }
}

/// `shape` must broadcast to `x` without making it larger.
void expect_fits(const Inference& at, const std::vector<Dim>& x, const std::vector<Dim>& shape) {
  bool fits = shape.size() <= x.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) {
    const auto& have = shape[shape.size() - 1 - i];
    const auto& want = x[x.size() - 1 - i];
    fits = have.size < 0 || have.size == 1 || want.size < 0 || have.size == want.size;
  }
  if (!fits) at.fail("shape {} can't be broadcast to {}", shape_text(shape), shape_text(x));
}

}  // namespace

void infer_same(Inference& at) {
  at.set(0, at.dtype(0), copy_of(at.shape(0)));
}

void infer_broadcast(Inference& at) {
  at.set(0, at.common_dtype(), broadcast_all(at));
}

void infer_compare(Inference& at) {
  at.common_dtype();
  at.set(0, DType::Bool, broadcast_all(at));
}

void infer_logic(Inference& at) {
  expect_dtype(at, 0, DType::Bool);
  expect_dtype(at, 1, DType::Bool);
  infer_compare(at);
}

void infer_is(Inference& at) {
  at.set(0, DType::Bool, copy_of(at.shape(0)));
}

void infer_power(Inference& at) {
  if (at.opset() < 12) at.common_dtype();
  at.set(0, at.dtype(0), broadcast_all(at));
}

void infer_where(Inference& at) {
  expect_dtype(at, 0, DType::Bool);
  at.set(0, at.common_dtype(1), broadcast_all(at));
}

void infer_prelu(Inference& at) {
  const auto dtype = at.common_dtype();
  if (at.shape(0) != nullptr && at.shape(1) != nullptr) expect_fits(at, *at.shape(0), *at.shape(1));
  at.set(0, dtype, copy_of(at.shape(0)));
}

void infer_clip(Inference& at) {
  for (std::size_t i = 1; i < at.input_count(); ++i) {
    const auto* bound = at.shape(i);
    if (bound != nullptr && !bound->empty()) {
      at.fail("bound {} has shape {}, a scalar is needed", i, shape_text(*bound));
    }
  }
  at.set(0, at.common_dtype(), copy_of(at.shape(0)));
}

void infer_dropout(Inference& at) {
  if (at.has(2)) {
    const auto training = at.integers(2);
    if (training && *training != std::vector<std::int64_t>{0}) {
      at.fail("training_mode must be false");
    }
  }
  at.set(0, at.dtype(0), copy_of(at.shape(0)));
  at.set(1, at.opset() >= 10 ? std::optional(DType::Bool) : at.dtype(0), copy_of(at.shape(0)));
}

void infer_softmax(Inference& at) {
  const auto* x = at.shape(0);
  if (x != nullptr && !x->empty()) {
    at.axis(int_attribute(at.node(), "axis", at.opset() >= 13 ? -1 : 1), x->size());
  }
  at.set(0, at.dtype(0), copy_of(x));
}

void infer_cast(Inference& at) {
  const auto code = int_attribute(at.node(), "to", 0);
  const auto dtype = dtype_of_onnx(code);
  if (!dtype) {
    const auto name = onnx_type_name(code);
    at.fail("attribute to = {} ({}) is no dtype that is supported", code,
            name.empty() ? "which doesn't exist" : name);
  }
  at.set(0, dtype, copy_of(at.shape(0)));
}

void infer_cast_like(Inference& at) {
  at.set(0, at.dtype(1), copy_of(at.shape(0)));
}

void infer_trilu(Inference& at) {
  const auto* x = at.shape(0);
  if (x != nullptr && x->size() < 2) at.fail("input {} is no matrix", shape_text(*x));
  if (const auto k = at.integers(1); k && k->size() != 1) at.fail("k must be one number");
  infer_same(at);
}

void infer_cum_sum(Inference& at) {
  const auto* x = at.shape(0);
  if (const auto axis = at.integers(1)) {
    if (axis->size() != 1) at.fail("its axis must be one number");
    if (x != nullptr) at.axis((*axis)[0], x->size());
  }
  infer_same(at);
}

}  // namespace inferometer::graph
