// SPDX-License-Identifier: Apache-2.0
// Shapes as data: what is known of the elements of small integer tensors, so that
// Reshape(x, Concat(Gather(Shape(x), 0), [-1])) has a shape before the batch size is known.
#include <algorithm>

#include "graph/elements.hpp"
#include "graph/geometry.hpp"
#include "graph/operators.hpp"
#include "graph/scalar.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {

namespace {

using Elements = std::vector<Element>;

Element element_of(const Dim& dim) {
  if (dim.size >= 0) return {dim.size, ""};
  return {std::nullopt, dim.symbol};
}

/// One of two sizes that broadcast: a list of one element stands for any.
const Element& nth(const Elements& list, std::size_t i) {
  return list[list.size() == 1 ? 0 : i];
}

/// Only lists: higher ranks aren't worth following.
bool is_list(const Inference& at, std::size_t input) {
  const auto* shape = at.shape(input);
  return shape != nullptr && shape->size() <= 1;
}

std::optional<Elements> list_elements(const Inference& at, std::size_t input) {
  return is_list(at, input) ? at.elements(input) : std::nullopt;
}

std::size_t result_count(const std::vector<Elements>& lists) {
  std::size_t count = 1;
  for (const auto& list : lists) {
    if (list.empty()) return 0;
    count = std::max(count, list.size());
  }
  return count;
}

/// The elements of all inputs; nullopt when one isn't followed or they are no lists.
std::optional<std::vector<Elements>> all_elements(const Inference& at) {
  std::vector<Elements> lists;
  for (std::size_t i = 0; i < at.input_count(); ++i) {
    auto list = list_elements(at, i);
    if (!list) return std::nullopt;
    lists.push_back(std::move(*list));
  }
  return lists;
}

bool is(const Element& element, std::int64_t number) {
  return element.number && *element.number == number;
}

/// A symbol stands for a size, which is never negative.
bool differ(const Element& a, const Element& b) {
  return (!a.symbol.empty() && b.number && *b.number < 0) ||
         (!b.symbol.empty() && a.number && *a.number < 0);
}

/// Two elements of int64 through the operator; symbols only through what keeps them.
Element combined(const Node& node, const Element& a, const Element& b) {
  const auto& op = node.op;
  if (a.number && b.number) {
    if (const auto compare = comparison<std::int64_t>(op)) {
      return {compare(*a.number, *b.number) ? 1 : 0, ""};
    }
    const auto apply = binary_function<std::int64_t>(node);
    if (apply == nullptr || (divides(op) && *b.number == 0)) return {};
    return {apply(*a.number, *b.number), ""};
  }
  if (op == "Equal" && differ(a, b)) return {0, ""};
  if (op == "Equal" && !a.symbol.empty() && a.symbol == b.symbol) return {1, ""};
  if (op == "Mul" && is(a, 1)) return b;
  if ((op == "Mul" || op == "Div") && is(b, 1)) return a;
  if ((op == "Add" || op == "Sub") && is(b, 0)) return a;
  if (op == "Add" && is(a, 0)) return b;
  if ((op == "Max" || op == "Min") && !a.symbol.empty() && a.symbol == b.symbol) return a;
  return {};
}

}  // namespace

void follow_same(Inference& at) {
  if (at.node().op == "Cast" || at.node().op == "CastLike") {
    // A narrower type might cut a number.
    const auto& y = at.graph().value(at.node().outputs[0]);
    if (y.dtype != DType::I64 && y.dtype != at.dtype(0)) return;
  }
  if (auto elements = at.elements(0)) at.set_elements(0, std::move(*elements));
}

void follow_arithmetic(Inference& at) {
  if (at.dtype(0) != DType::I64 || at.op() == "Mean") return;
  const auto lists = all_elements(at);
  if (!lists) return;
  Elements result = (*lists)[0];
  for (std::size_t k = 1; k < lists->size(); ++k) {
    Elements next(result_count({result, (*lists)[k]}));
    for (std::size_t i = 0; i < next.size(); ++i) {
      next[i] = combined(at.node(), nth(result, i), nth((*lists)[k], i));
    }
    result = std::move(next);
  }
  at.set_elements(0, std::move(result));
}

void follow_where(Inference& at) {
  const auto lists = all_elements(at);
  if (!lists) return;
  Elements result(result_count(*lists));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto& choice = nth((*lists)[0], i);
    const auto &yes = nth((*lists)[1], i), &no = nth((*lists)[2], i);
    if (choice.number) result[i] = *choice.number != 0 ? yes : no;
    if (!choice.number && yes.number == no.number && yes.symbol == no.symbol) result[i] = yes;
  }
  at.set_elements(0, std::move(result));
}

void follow_shape_of(Inference& at) {
  const auto* x = at.shape(0);
  if (x == nullptr) return;
  const auto rank = static_cast<std::int64_t>(x->size());
  const auto start = int_attribute(at.node(), "start", 0);
  const auto first = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
  const auto count = (*at.output_shape(0))[0].size;
  Elements elements;
  for (std::int64_t i = first; i < first + count; ++i) {
    elements.push_back(element_of((*x)[static_cast<std::size_t>(i)]));
  }
  at.set_elements(0, std::move(elements));
}

void follow_size_of(Inference& at) {
  const auto sizes = at.sizes(0);
  if (!sizes) return;
  if (const auto product = checked_product(*sizes)) at.set_elements(0, {{product, ""}});
}

void follow_gather(Inference& at) {
  const auto list = list_elements(at, 0);
  const auto indices = at.constant(1) != nullptr && at.constant(1)->elements() <= kMaxElements
                           ? at.integers(1)
                           : std::nullopt;
  if (!list || !indices) return;
  const auto size = static_cast<std::int64_t>(list->size());
  Elements picked;
  for (const auto index : *indices) {
    if (index < -size || index >= size) return;
    picked.push_back((*list)[static_cast<std::size_t>(index < 0 ? index + size : index)]);
  }
  at.set_elements(0, std::move(picked));
}

void follow_concat(Inference& at) {
  const auto lists = all_elements(at);
  if (!lists) return;
  Elements joined;
  for (const auto& list : *lists) joined.insert(joined.end(), list.begin(), list.end());
  at.set_elements(0, std::move(joined));
}

void follow_slice(Inference& at) {
  const auto list = list_elements(at, 0);
  if (!list || at.shape(0)->size() != 1) return;
  const auto requests = read_slice(at, 1);
  if (!requests) return;
  const auto slice = (*requests)[0].of(static_cast<std::int64_t>(list->size()));
  Elements picked;
  for (std::int64_t i = 0; i < slice.count; ++i) {
    picked.push_back((*list)[static_cast<std::size_t>(slice.start + i * slice.step)]);
  }
  at.set_elements(0, std::move(picked));
}

void follow_split(Inference& at) {
  const auto list = list_elements(at, 0);
  if (!list || at.shape(0)->size() != 1) return;
  const auto pieces = read_split(at, *at.shape(0));
  if (!pieces) return;
  auto from = list->begin();
  for (std::size_t i = 0; i < pieces->sizes.size(); ++i) {
    const auto count = pieces->sizes[i].size;
    if (count < 0 || count > list->end() - from) return;
    at.set_elements(i, Elements(from, from + count));
    from += count;
  }
}

void follow_expand(Inference& at) {
  const auto list = list_elements(at, 0);
  const auto* y = at.output_shape(0);
  if (!list || list->size() != 1 || y == nullptr || y->size() != 1) return;
  const auto count = (*y)[0].size;
  if (count < 0 || count > kMaxElements) return;
  at.set_elements(0, Elements(static_cast<std::size_t>(count), (*list)[0]));
}

void follow_constant_of_shape(Inference& at) {
  const auto* y = at.output_shape(0);
  if (y == nullptr || y->size() > 1 || (!y->empty() && (*y)[0].size < 0)) return;
  const auto count = y->empty() ? 1 : (*y)[0].size;
  const auto value = at.node().attributes.find("value");
  if (value == at.node().attributes.end() || count > kMaxElements) return;
  const auto& constant = std::get<Constant>(value->second);
  if (is_floating(constant.dtype)) return;
  at.set_elements(0,
                  Elements(static_cast<std::size_t>(count), {as_integers(constant, 1).at(0), ""}));
}

void follow_range(Inference& at) {
  const auto count = (*at.output_shape(0))[0].size;
  if (count < 0 || count > kMaxElements || at.dtype(0) != DType::I64) return;
  const auto start = at.integers(0), step = at.integers(2);
  if (!start || !step) return;
  Elements elements;
  for (std::int64_t i = 0; i < count; ++i) {
    elements.push_back({range_element((*start)[0], (*step)[0], i), ""});
  }
  at.set_elements(0, std::move(elements));
}

void follow_reduce_prod(Inference& at) {
  const auto numbers =
      is_list(at, 0) && at.dtype(0) == DType::I64 && at.elements(0) ? at.integers(0) : std::nullopt;
  const auto* y = at.output_shape(0);
  if (!numbers || y == nullptr) return;
  std::uint64_t product = 1;  // wraps around as the operator does
  for (const auto number : *numbers) product *= static_cast<std::uint64_t>(number);
  at.set_elements(0, {{static_cast<std::int64_t>(product), ""}});
}

}  // namespace inferometer::graph
