// SPDX-License-Identifier: Apache-2.0
// Shapes through operators that pick out and put back elements by index.
#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "graph/elements.hpp"
#include "graph/operators.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

std::optional<std::vector<Dim>> copy_of(const std::vector<Dim>* shape) {
  return shape != nullptr ? std::optional(*shape) : std::nullopt;
}

bool may_equal(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dim& x, const Dim& y) {
    return x.size < 0 || y.size < 0 || x.size == y.size;
  });
}

void expect_reduction(const Inference& at) {
  const auto word = string_attribute(at.node(), "reduction", "none");
  for (const auto* known : {"none", "add", "mul", "max", "min"}) {
    if (word == known) return;
  }
  at.fail("reduction '{}' is none of none, add, mul, max, min", printable(word));
}

void expect_same_dtype(const Inference& at) {
  const auto data = at.dtype(0), updates = at.dtype(2);
  if (data && updates && *data != *updates) {
    at.fail("data of dtype {} but updates of {}", to_string(*data), to_string(*updates));
  }
}

}  // namespace

void infer_scatter_elements(Inference& at) {
  const auto *data = at.shape(0), *indices = at.shape(1), *updates = at.shape(2);
  expect_reduction(at);
  expect_same_dtype(at);
  if (indices != nullptr && updates != nullptr && !may_equal(*indices, *updates)) {
    at.fail("indices {} and updates {} differ", shape_text(*indices), shape_text(*updates));
  }
  if (data != nullptr && indices != nullptr) {
    bool fits = data->size() == indices->size();
    const auto axis = at.axis(int_attribute(at.node(), "axis", 0), data->size());
    for (std::size_t i = 0; fits && i < data->size(); ++i) {
      fits = i == axis || (*data)[i].size < 0 || (*indices)[i].size <= (*data)[i].size;
    }
    if (!fits) at.fail("indices {} don't suit data {}", shape_text(*indices), shape_text(*data));
  }
  at.set(0, at.dtype(0), copy_of(data));
}

void infer_scatter_nd(Inference& at) {
  const auto *data = at.shape(0), *indices = at.shape(1), *updates = at.shape(2);
  expect_reduction(at);
  expect_same_dtype(at);
  at.set(0, at.dtype(0), copy_of(data));
  if (data == nullptr || indices == nullptr) return;
  const auto depth = indices->empty() ? 0 : indices->back().size;
  if (indices->empty() || depth == 0 || depth > static_cast<std::int64_t>(data->size())) {
    at.fail("indices {} don't suit data {}", shape_text(*indices), shape_text(*data));
  }
  if (depth < 0 || updates == nullptr) return;
  std::vector<Dim> wanted(indices->begin(), indices->end() - 1);
  wanted.insert(wanted.end(), data->begin() + depth, data->end());
  if (!may_equal(*updates, wanted)) {
    at.fail("updates have shape {}, {} is needed", shape_text(*updates), shape_text(wanted));
  }
}

void infer_top_k(Inference& at) {
  const auto* x = at.shape(0);
  std::optional<std::int64_t> k;
  if (at.node().attributes.count("k") != 0) {
    k = int_attribute(at.node(), "k", 0);
  } else if (!at.has(1)) {
    at.fail("k is missing");
  } else if (const auto list = at.integers(1)) {
    if (list->size() != 1) at.fail("k must be one number");
    k = (*list)[0];
  }
  std::optional<std::vector<Dim>> y;
  if (x != nullptr) {
    const auto axis = at.axis(int_attribute(at.node(), "axis", -1), x->size());
    if (k && (*k < 0 || ((*x)[axis].size >= 0 && *k > (*x)[axis].size))) {
      at.fail("k is {} on axis {} of {}", *k, axis, shape_text(*x));
    }
    y = *x;
    (*y)[axis] = {k.value_or(-1), ""};
  }
  at.set(0, at.dtype(0), y);
  at.set(1, DType::I64, y);
}

void infer_one_hot(Inference& at) {
  const auto* indices = at.shape(0);
  if (const auto* pair = at.shape(2)) {
    if (pair->size() != 1 || ((*pair)[0].size >= 0 && (*pair)[0].size != 2)) {
      at.fail("values have shape {}, [2] is needed", shape_text(*pair));
    }
  }
  const auto depth = at.reals(1);
  if (depth && depth->size() != 1) at.fail("depth must be one number");
  constexpr double kDeepest = 1LL << 40;
  if (depth && ((*depth)[0] < 1 || (*depth)[0] > kDeepest || std::isnan((*depth)[0]))) {
    at.fail("a depth of {}", (*depth)[0]);
  }
  if (indices == nullptr) return at.set(0, at.dtype(2), std::nullopt);
  auto y = *indices;
  const auto axis = at.axis(int_attribute(at.node(), "axis", -1), indices->size() + 1);
  const auto size = depth ? static_cast<std::int64_t>((*depth)[0]) : -1;
  y.insert(y.begin() + static_cast<std::ptrdiff_t>(axis), Dim{size, ""});
  at.set(0, at.dtype(2), y);
}

void infer_non_zero(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, DType::I64, std::vector<Dim>(2));
  if (x->empty()) at.fail("its input is a scalar");
  std::int64_t count = -1;
  if (const auto* constant = at.constant(0)) {
    count = 0;
    visit_elements(constant->dtype, [&](auto codec) {
      const auto elements = static_cast<std::size_t>(constant->elements());
      for (std::size_t i = 0; i < elements; ++i) {
        if (codec.load(constant->bytes, i) != typename decltype(codec)::Type{}) ++count;
      }
    });
  }
  at.set(0, DType::I64, std::vector<Dim>{{static_cast<std::int64_t>(x->size()), ""}, {count, ""}});
}

}  // namespace inferometer::graph
