// SPDX-License-Identifier: Apache-2.0
// Shapes through normalisations.
#include "graph/operators.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

std::optional<std::vector<Dim>> copy_of(const std::vector<Dim>* shape) {
  return shape != nullptr ? std::optional(*shape) : std::nullopt;
}

void expect_rank(const Inference& at, const std::vector<Dim>& x, std::size_t least) {
  if (x.size() < least) {
    at.fail("its input has shape {}, at least {} axes are needed", shape_text(x), least);
  }
}

/// Input `input` is a list with one entry for each of `wanted`.
void expect_list(const Inference& at, std::size_t input, const Dim& wanted) {
  const auto* list = at.shape(input);
  if (list == nullptr) return;
  if (list->size() != 1) {
    at.fail("input {} has shape {}, one axis is needed", input, shape_text(*list));
  }
  const auto& have = (*list)[0];
  if (have.size >= 0 && wanted.size >= 0 && have.size != wanted.size) {
    at.fail("input {}: {} entries for {} channels", input, have.size, wanted.size);
  }
}

void expect_sizes(const Inference& at, std::size_t input, const std::vector<Dim>& wanted) {
  const auto* have = at.shape(input);
  if (have == nullptr) return;
  bool fits = have->size() <= wanted.size();
  for (std::size_t i = 0; fits && i < have->size(); ++i) {
    const auto& a = (*have)[have->size() - 1 - i];
    const auto& b = wanted[wanted.size() - 1 - i];
    fits = a.size == 1 || a.size < 0 || b.size < 0 || a.size == b.size;
  }
  if (!fits) {
    at.fail("input {} of shape {} can't be broadcast to {}", input, shape_text(*have),
            shape_text(wanted));
  }
}

/// Opsets 7 and 8 could have statistics for every place, not only for every channel.
bool per_place(const Inference& at) {
  return int_attribute(at.node(), "spatial", 1) == 0;
}

void expect_statistics(const Inference& at, const std::vector<Dim>& x) {
  const auto channels = x.size() > 1 ? x[1] : Dim{1, ""};
  const std::vector<Dim> places(x.begin() + (x.empty() ? 0 : 1), x.end());
  for (std::size_t i = 1; i < 5; ++i) {
    if (!per_place(at)) {
      expect_list(at, i, channels);
      continue;
    }
    const auto* have = at.shape(i);
    if (have == nullptr) continue;
    bool equal = have->size() == places.size();
    for (std::size_t k = 0; equal && k < places.size(); ++k) {
      equal = (*have)[k].size < 0 || places[k].size < 0 || (*have)[k].size == places[k].size;
    }
    if (!equal)
      at.fail("input {} has shape {}, {} is needed", i, shape_text(*have), shape_text(places));
  }
}

std::int64_t checked_groups(const Inference& at, const std::vector<Dim>& x) {
  const auto groups = int_attribute(at.node(), "num_groups", 0);
  if (groups < 1) at.fail("num_groups is {}, the least is 1", groups);
  if (x[1].size >= 0 && x[1].size % groups != 0) {
    at.fail("{} channels don't divide into {} groups", x[1].size, groups);
  }
  return groups;
}

}  // namespace

void infer_batch_norm(Inference& at) {
  const auto* x = at.shape(0);
  if (int_attribute(at.node(), "training_mode", 0) != 0) at.fail("training_mode is not inference");
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  expect_statistics(at, *x);
  at.set(0, at.dtype(0), *x);
}

void infer_channel_norm(Inference& at) {
  const auto* x = at.shape(0);
  if (x != nullptr) {
    expect_rank(at, *x, 3);
    for (const std::size_t i : {1, 2}) expect_list(at, i, (*x)[1]);
  }
  at.set(0, at.common_dtype(), copy_of(x));
}

void infer_group_norm(Inference& at) {
  const auto* x = at.shape(0);
  if (x != nullptr) {
    expect_rank(at, *x, 2);
    const auto groups = checked_groups(at, *x);
    // Before opset 21 scale and bias belonged to groups.
    const auto entries = at.opset() < 21 ? Dim{groups, ""} : (*x)[1];
    for (const std::size_t i : {1, 2}) expect_list(at, i, entries);
  }
  at.set(0, at.common_dtype(), copy_of(x));
}

void infer_layer_norm(Inference& at) {
  const auto* x = at.shape(0);
  const auto dtype = at.common_dtype();
  const auto stash = int_attribute(at.node(), "stash_type", 1) == 1 ? DType::F32 : DType::F64;
  at.set(0, dtype, copy_of(x));
  if (x == nullptr) return;
  const auto axis = at.axis(int_attribute(at.node(), "axis", -1), x->size());
  const std::vector<Dim> normalised(x->begin() + static_cast<std::ptrdiff_t>(axis), x->end());
  expect_sizes(at, 1, normalised);
  expect_sizes(at, 2, normalised);
  auto statistics = *x;
  for (std::size_t i = axis; i < statistics.size(); ++i) statistics[i] = {1, ""};
  const auto statistics_dtype = dtype == DType::F64 ? DType::F64 : stash;
  at.set(1, statistics_dtype, statistics);
  at.set(2, statistics_dtype, statistics);
}

void infer_rms_norm(Inference& at) {
  const auto* x = at.shape(0);
  at.set(0, at.common_dtype(), copy_of(x));
  if (x == nullptr) return;
  const auto axis = at.axis(int_attribute(at.node(), "axis", -1), x->size());
  expect_sizes(at, 1, {x->begin() + static_cast<std::ptrdiff_t>(axis), x->end()});
}

void infer_lrn(Inference& at) {
  const auto* x = at.shape(0);
  if (int_attribute(at.node(), "size", 0) < 1) at.fail("attribute size is missing or below 1");
  if (x != nullptr) expect_rank(at, *x, 2);
  at.set(0, at.dtype(0), copy_of(x));
}

}  // namespace inferometer::graph
