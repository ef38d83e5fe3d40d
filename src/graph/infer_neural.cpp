// SPDX-License-Identifier: Apache-2.0
// Shapes through convolution, pooling, normalisation and matrix products.
#include "graph/operators.hpp"
#include "graph/resize.hpp"
#include "graph/sizes.hpp"
#include "graph/window.hpp"

namespace inferometer::graph {

namespace {

void expect_rank(const Inference& at, const std::vector<Dim>& shape, std::size_t least) {
  if (shape.size() < least) {
    at.fail("its input has shape {}, at least {} axes are needed", shape_text(shape), least);
  }
}

/// Two sizes that must be equal as far as they are known.
void expect_equal(const Inference& at, const Dim& a, const Dim& b, const char* what) {
  if (a.size >= 0 && b.size >= 0 && a.size != b.size)
    at.fail("{}: {} and {}", what, a.size, b.size);
}

std::int64_t checked_group(const Inference& at, const std::vector<Dim>& x,
                           const std::vector<Dim>& weight) {
  const auto group = int_attribute(at.node(), "group", 1);
  if (group < 1) at.fail("group is {}, the least is 1", group);
  if (weight[0].size >= 0 && weight[0].size % group != 0) {
    at.fail("{} output channels don't divide into {} groups", weight[0].size, group);
  }
  if (x[1].size < 0 || weight[1].size < 0) return group;
  const auto channels = checked_mul(weight[1].size, group);
  if (!channels || *channels != x[1].size) {
    at.fail("{} input channels, but weights {} and group {} need {}", x[1].size, shape_text(weight),
            group, channels.value_or(-1));
  }
  return group;
}

/// The weight's spatial sizes, which kernel_shape must repeat if it is given.
std::optional<std::vector<std::int64_t>> kernel_of(const Inference& at,
                                                   const std::vector<Dim>& weight) {
  std::vector<std::int64_t> kernel;
  for (std::size_t i = 2; i < weight.size(); ++i) kernel.push_back(weight[i].size);
  auto given = ints_attribute(at.node(), "kernel_shape", kernel);
  bool equal = given.size() == kernel.size();
  for (std::size_t i = 0; equal && i < given.size(); ++i) {
    equal = given[i] > 0 && (kernel[i] < 0 || kernel[i] == given[i]);
    if (!equal && kernel[i] < 0 && given[i] < 0) return std::nullopt;
  }
  if (!equal) {
    at.fail("kernel_shape {} but weights {}", shape_text(given), shape_text(weight));
  }
  return given;
}

/// The shapes of a convolution's input and weights, both known and of one rank; else false.
bool has_shapes(const Inference& at, const std::vector<Dim>*& x, const std::vector<Dim>*& weight) {
  x = at.shape(0);
  weight = at.shape(1);
  if (x == nullptr || weight == nullptr) return false;
  expect_rank(at, *x, 3);
  if (weight->size() != x->size()) {
    at.fail("input {} and weights {} differ in rank", shape_text(*x), shape_text(*weight));
  }
  return true;
}

void check_bias(const Inference& at, const Dim& channels) {
  const auto* bias = at.shape(2);
  if (bias == nullptr) return;
  if (bias->size() != 1) at.fail("bias has shape {}, one axis is needed", shape_text(*bias));
  expect_equal(at, (*bias)[0], channels, "bias and output channels differ");
}

}  // namespace

void infer_conv(Inference& at) {
  const auto dtype = at.common_dtype();
  const std::vector<Dim>*x = nullptr, *weight = nullptr;
  if (!has_shapes(at, x, weight)) return at.set(0, dtype, std::nullopt);
  checked_group(at, *x, *weight);
  check_bias(at, (*weight)[0]);
  std::vector<Dim> y = {(*x)[0], (*weight)[0]};
  const auto kernel = kernel_of(at, *weight);
  if (!kernel) {
    y.resize(x->size());
    return at.set(0, dtype, y);
  }
  const auto window = read_window(at.node(), *kernel);
  for (std::size_t i = 2; i < x->size(); ++i) {
    y.push_back(window_output(at.node(), window, i - 2, (*x)[i]));
  }
  at.set(0, dtype, y);
}

void infer_conv_transpose(Inference& at) {
  const auto dtype = at.common_dtype();
  const std::vector<Dim>*x = nullptr, *weight = nullptr;
  if (!has_shapes(at, x, weight)) return at.set(0, dtype, std::nullopt);
  expect_equal(at, (*x)[1], (*weight)[0], "channels of input and weights differ");
  const auto group = int_attribute(at.node(), "group", 1);
  if (group < 1 || ((*x)[1].size >= 0 && (*x)[1].size % group != 0)) {
    at.fail("{} input channels don't divide into {} groups", (*x)[1].size, group);
  }
  const auto channels = (*weight)[1].size >= 0 ? checked_mul((*weight)[1].size, group) : -1;
  if (!channels) at.fail("{} groups of {} channels overflow", group, (*weight)[1].size);
  std::vector<Dim> y = {(*x)[0], {*channels, ""}};
  check_bias(at, y[1]);
  const auto kernel = kernel_of(at, *weight);
  y.resize(x->size());
  if (!kernel) return at.set(0, dtype, y);
  auto window = read_transposed_window(at.node(), *kernel);
  for (std::size_t i = 2; i < x->size(); ++i) {
    y[i] = transposed_output(at.node(), window, i - 2, (*x)[i]);
  }
  at.set(0, dtype, y);
}

void infer_resize(Inference& at) {
  if (at.shape(0) == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  at.set(0, at.dtype(0), resized_dims(at));
}

void infer_pool(Inference& at) {
  const auto* x = at.shape(0);
  const auto kernel = ints_attribute(at.node(), "kernel_shape", {});
  if (kernel.empty()) at.fail("attribute kernel_shape is missing");
  for (const auto size : kernel) {
    if (size < 1) at.fail("kernel_shape {} has a size below 1", shape_text(kernel));
  }
  const auto window = read_window(at.node(), kernel);
  std::optional<std::vector<Dim>> y;
  if (x != nullptr) {
    if (x->size() != kernel.size() + 2) {
      at.fail("input {} doesn't suit kernel_shape {}", shape_text(*x), shape_text(kernel));
    }
    y = {(*x)[0], (*x)[1]};
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      // Padding as wide as the window would give outputs that see nothing of the input.
      if (window.pads_begin[i] >= kernel[i] || window.pads_end[i] >= kernel[i]) {
        if (window.dilations[i] == 1) at.fail("pads must be smaller than the window {}", kernel[i]);
      }
      y->push_back(window_output(at.node(), window, i, (*x)[i + 2]));
    }
  }
  at.set(0, at.dtype(0), y);
  at.set(1, DType::I64, y);
}

void infer_global_pool(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  expect_rank(at, *x, 2);
  auto y = *x;
  for (std::size_t i = 2; i < y.size(); ++i) y[i] = {1, ""};
  at.set(0, at.dtype(0), y);
}

void infer_gemm(Inference& at) {
  const auto dtype = at.common_dtype();
  const auto* a = at.shape(0);
  const auto* b = at.shape(1);
  if (a == nullptr || b == nullptr) return at.set(0, dtype, std::nullopt);
  if (a->size() != 2 || b->size() != 2) {
    at.fail("matrices are needed, not {} and {}", shape_text(*a), shape_text(*b));
  }
  const bool flip_a = int_attribute(at.node(), "transA", 0) != 0;
  const bool flip_b = int_attribute(at.node(), "transB", 0) != 0;
  expect_equal(at, (*a)[flip_a ? 0 : 1], (*b)[flip_b ? 1 : 0], "inner sizes differ");
  const std::vector<Dim> y = {(*a)[flip_a ? 1 : 0], (*b)[flip_b ? 0 : 1]};
  if (const auto* c = at.shape(2)) {
    bool fits = c->size() <= 2;
    for (std::size_t i = 0; fits && i < c->size(); ++i) {
      const auto& have = (*c)[c->size() - 1 - i];
      const auto& want = y[1 - i];
      fits = have.size < 0 || have.size == 1 || want.size < 0 || have.size == want.size;
    }
    if (!fits) at.fail("C of shape {} can't be broadcast to {}", shape_text(*c), shape_text(y));
  }
  at.set(0, dtype, y);
}

void infer_matmul(Inference& at) {
  const auto dtype = at.common_dtype();
  if (at.shape(0) == nullptr || at.shape(1) == nullptr) return at.set(0, dtype, std::nullopt);
  auto a = *at.shape(0);
  auto b = *at.shape(1);
  if (a.empty() || b.empty()) at.fail("scalars can't be multiplied as matrices");
  const bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), Dim{1, ""});
  if (column) b.push_back({1, ""});
  expect_equal(at, a.back(), b[b.size() - 2], "inner sizes differ");
  const auto rank = std::max(a.size(), b.size());
  std::vector<Dim> y(rank);
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    const auto one = Dim{1, ""};
    const auto& left = i + a.size() >= rank ? a[i + a.size() - rank] : one;
    const auto& right = i + b.size() >= rank ? b[i + b.size() - rank] : one;
    const auto merged = broadcast_dim(left, right);
    if (!merged) at.fail("{} and {} can't be broadcast", shape_text(a), shape_text(b));
    y[i] = *merged;
  }
  y[rank - 2] = a[a.size() - 2];
  y[rank - 1] = b.back();
  if (column) y.pop_back();
  if (row) y.erase(y.end() - (column ? 1 : 2));
  at.set(0, dtype, y);
}

}  // namespace inferometer::graph
