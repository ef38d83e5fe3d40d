// SPDX-License-Identifier: Apache-2.0
// Shapes through operators that make, cut, pad and repeat tensors, most of them by the values of
// small integer inputs.
#include <algorithm>

#include "graph/geometry.hpp"
#include "graph/operators.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

/// The sizes that input `input` lists: numbers or symbols; nullopt when not even their count is
/// known.
std::optional<std::vector<Dim>> listed_dims(const Inference& at, std::size_t input) {
  const auto* rank = at.shape(input);
  if (rank != nullptr && rank->size() != 1) {
    at.fail("input {} has shape {}, a list is needed", input, shape_text(*rank));
  }
  at.integers(input);  // a constant that is no list of integers is refused
  const auto elements = at.elements(input);
  if (!elements) {
    const auto count = rank != nullptr ? (*rank)[0].size : -1;
    if (count < 0 || count > kMaxElements) return std::nullopt;
    return std::vector<Dim>(static_cast<std::size_t>(count));
  }
  std::vector<Dim> dims;
  for (const auto& element : *elements) {
    if (element.number && *element.number < 0) at.fail("a size of {}", *element.number);
    dims.push_back({element.number.value_or(-1), element.symbol});
  }
  return dims;
}

/// The shape after a Slice whose starts or ends aren't known: axes that it doesn't name stay.
std::vector<Dim> cut_somehow(const Inference& at, std::vector<Dim> x) {
  const auto axes = read_list(at, "axes", 3);
  if (!axes.list) return std::vector<Dim>(x.size());
  for (const auto axis : *axes.list) x[at.axis(axis, x.size())] = {};
  return x;
}

Dim multiplied(const Inference& at, const Dim& size, std::int64_t factor) {
  if (factor < 0) at.fail("repeats of {}", factor);
  if (factor == 1) return size;
  if (size.size < 0) return {};
  const auto product = checked_mul(size.size, factor);
  if (!product) at.fail("a size of {} times {} overflows", size.size, factor);
  return {*product, ""};
}

}  // namespace

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

void infer_size_of(Inference& at) {
  at.set(0, DType::I64, std::vector<Dim>{});
}

void infer_slice(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto requests = read_slice(at, x->size());
  if (!requests) return at.set(0, at.dtype(0), cut_somehow(at, *x));
  std::vector<Dim> y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const auto& request = (*requests)[i];
    if (!request.given) {
      y.push_back((*x)[i]);
    } else if ((*x)[i].size >= 0) {
      y.push_back({request.of((*x)[i].size).count, ""});
    } else {
      // An end beyond every size is the way to say "up to the last".
      const bool whole = request.start == 0 && request.step == 1 && request.end >= INT32_MAX;
      y.push_back(whole ? (*x)[i] : Dim{});
    }
  }
  at.set(0, at.dtype(0), y);
}

void infer_split(Inference& at) {
  const auto* x = at.shape(0);
  const auto pieces = x != nullptr ? read_split(at, *x) : std::nullopt;
  for (std::size_t i = 0; i < at.output_count(); ++i) {
    std::optional<std::vector<Dim>> y;
    if (x != nullptr) {
      const auto axis = at.axis(int_attribute(at.node(), "axis", 0), x->size());
      y = *x;
      (*y)[axis] = pieces ? pieces->sizes[i] : Dim{};
    }
    at.set(i, at.dtype(0), y);
  }
}

void infer_pad(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto padding = read_padding(at, x->size());
  if (!padding) return at.set(0, at.dtype(0), std::vector<Dim>(x->size()));
  std::vector<Dim> y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const auto& size = (*x)[i];
    const auto both = checked_add(padding->begin[i], padding->end[i]);
    const auto sum = both ? checked_add(std::max<std::int64_t>(size.size, 0), *both) : std::nullopt;
    if (!sum || (size.size >= 0 && *sum < 0)) {
      at.fail("pads {} and {} on an axis of {}", padding->begin[i], padding->end[i], size.size);
    }
    if (size.size == 0 && *sum > 0 && padding->mode != PadMode::Constant) {
      at.fail("an axis of 0 has nothing to repeat");
    }
    y.push_back(*both == 0 ? size : size.size >= 0 ? Dim{*sum, ""} : Dim{});
  }
  if (const auto* value = at.shape(2); value != nullptr && !value->empty()) {
    if (value->size() != 1 || (*value)[0].size != 1) {
      at.fail("the value has shape {}, a scalar is needed", shape_text(*value));
    }
  }
  at.set(0, at.dtype(0), y);
}

void infer_expand(Inference& at) {
  const auto* x = at.shape(0);
  const auto wanted = listed_dims(at, 1);
  if (x == nullptr || !wanted) return at.set(0, at.dtype(0), std::nullopt);
  const auto rank = std::max(x->size(), wanted->size());
  std::vector<Dim> y;
  for (std::size_t i = 0; i < rank; ++i) {
    const Dim one{1, ""};
    const auto& a = i + x->size() >= rank ? (*x)[i + x->size() - rank] : one;
    const auto& b = i + wanted->size() >= rank ? (*wanted)[i + wanted->size() - rank] : one;
    const auto merged = broadcast_dim(a, b);
    if (!merged) {
      at.fail("shape {} can't be expanded to {}", shape_text(*x), shape_text(*wanted));
    }
    y.push_back(*merged);
  }
  at.set(0, at.dtype(0), y);
}

void infer_tile(Inference& at) {
  const auto* x = at.shape(0);
  const auto repeats = at.integers(1);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  if (!repeats) return at.set(0, at.dtype(0), std::vector<Dim>(x->size()));
  if (repeats->size() != x->size()) {
    at.fail("{} repeats for input {}", repeats->size(), shape_text(*x));
  }
  std::vector<Dim> y;
  for (std::size_t i = 0; i < x->size(); ++i) y.push_back(multiplied(at, (*x)[i], (*repeats)[i]));
  at.set(0, at.dtype(0), y);
}

void infer_range(Inference& at) {
  const auto count = range_count(at);
  at.set(0, at.common_dtype(), std::vector<Dim>{{count.value_or(-1), ""}});
}

void infer_constant_of_shape(Inference& at) {
  const auto value = at.node().attributes.find("value");
  auto dtype = DType::F32;
  if (value != at.node().attributes.end()) {
    const auto& constant = std::get<Constant>(value->second);
    if (constant.elements() != 1) at.fail("its value has {} elements", constant.elements());
    dtype = constant.dtype;
  }
  at.set(0, dtype, listed_dims(at, 0));
}

namespace {

std::int64_t checked_block(const Inference& at, const std::vector<Dim>& x) {
  const auto block = int_attribute(at.node(), "blocksize", 0);
  if (block < 1 || block > INT32_MAX) at.fail("blocksize is {}", block);
  if (x.size() != 4) at.fail("input {} has not the four axes N,C,H,W", shape_text(x));
  const auto mode = string_attribute(at.node(), "mode", "DCR");
  if (mode != "DCR" && mode != "CRD") at.fail("mode is neither DCR nor CRD");
  return block;
}

Dim divided(const Inference& at, const Dim& size, std::int64_t by) {
  if (size.size < 0) return {};
  if (size.size % by != 0) at.fail("an axis of {} doesn't divide by {}", size.size, by);
  return {size.size / by, ""};
}

}  // namespace

void infer_depth_to_space(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto block = checked_block(at, *x);
  at.set(0, at.dtype(0),
         std::vector<Dim>{(*x)[0], divided(at, (*x)[1], block * block),
                          multiplied(at, (*x)[2], block), multiplied(at, (*x)[3], block)});
}

void infer_space_to_depth(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return at.set(0, at.dtype(0), std::nullopt);
  const auto block = checked_block(at, *x);
  at.set(0, at.dtype(0),
         std::vector<Dim>{(*x)[0], multiplied(at, (*x)[1], block * block),
                          divided(at, (*x)[2], block), divided(at, (*x)[3], block)});
}

void infer_declared(Inference&) {
  // What If and Loop do is not known yet; their outputs are what the file declares.
}

}  // namespace inferometer::graph
