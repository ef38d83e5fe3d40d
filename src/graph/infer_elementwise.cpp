// SPDX-License-Identifier: Apache-2.0
// Shapes through operators that keep or broadcast them.
#include "graph/elements.hpp"
#include "graph/onnx_types.hpp"
#include "graph/operators.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

std::optional<std::vector<Dim>> copy_of(const std::vector<Dim>* shape) {
  return shape != nullptr ? std::optional(*shape) : std::nullopt;
}

}  // namespace

void infer_same(Inference& at) {
  at.set(0, at.dtype(0), copy_of(at.shape(0)));
}

void infer_binary(Inference& at) {
  const auto dtype = at.common_dtype();
  const auto* a = at.shape(0);
  const auto* b = at.shape(1);
  if (a == nullptr || b == nullptr) return at.set(0, dtype, std::nullopt);
  const auto& longer = a->size() >= b->size() ? *a : *b;
  const auto& shorter = a->size() >= b->size() ? *b : *a;
  auto y = longer;
  const auto shift = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    const auto merged = broadcast_dim(longer[i + shift], shorter[i]);
    if (!merged) at.fail("shapes {} and {} can't be broadcast", shape_text(*a), shape_text(*b));
    y[i + shift] = *merged;
  }
  at.set(0, dtype, y);
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
    const auto* training = at.constant(2);
    if (training == nullptr || as_integers(*training, 1) != std::vector<std::int64_t>{0}) {
      at.fail("training_mode must be the constant false");
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

}  // namespace inferometer::graph
