// SPDX-License-Identifier: Apache-2.0
// Operators that jump (Floor, comparisons, ArgMax) are given exact numbers only: a float that is
// one rounding away from the jump would make two right engines differ.
#include <algorithm>
#include <cmath>

#include "makers.hpp"

namespace inferometer::random_graphs {
namespace {

using graph::ValueId;

/// Bounds of f(x) for |x| <= bound.
struct Unary {
  const char* op;
  std::int64_t opset;
  double (*bound)(double);
  double largest_input = kLargestBound;
};

double same(double bound) {
  return bound;
}
double one(double) {
  return 1;
}
double wider(double bound) {
  return bound + 1;
}

const std::vector<Unary>& unaries() {
  static const std::vector<Unary> rows = {
      {"Abs", 7, same},
      {"Atan", 7, same},
      {"Cos", 7, one},
      {"Elu", 7, wider},
      {"Erf", 9, one},
      {"HardSigmoid", 7, one},
      {"HardSwish", 14, same},
      {"LeakyRelu", 7, same},
      {"Neg", 7, same},
      {"Relu", 7, same},
      {"Sigmoid", 7, one},
      {"Sin", 7, one},
      {"Softplus", 7, wider},
      {"Softsign", 7, one},
      {"Tanh", 7, one},
      {"Mish", 18, same},
      {"Gelu", 20, same},
      {"Celu", 12, wider},
      {"Asinh", 9, same},
      {"Exp", 7, [](double b) { return std::exp(b); }, 2},
      {"Selu", 7, [](double b) { return 1.1 * b + 2; }},
      {"Sinh", 9, [](double b) { return std::sinh(b); }, 2},
  };
  return rows;
}

bool make_unary(Draft& draft) {
  const auto x = draft.any();
  const auto& row = draft.random.pick(unaries());
  if (draft.opset() < row.opset || x.bound > row.largest_input) return false;
  draft.keep(draft.node(row.op, {x.id}), row.bound(x.bound));
  return true;
}

/// Where a function is steep or undefined near 0: |x| + 1.
ValueId above_one(Draft& draft, ValueId x) {
  return draft.node("Add", {draft.node("Abs", {x}), draft.real(1)});
}

bool make_log(Draft& draft) {
  const auto x = draft.any();
  draft.keep(draft.node("Log", {above_one(draft, x.id)}), std::log1p(x.bound));
  return true;
}

bool make_root(Draft& draft) {
  const auto x = draft.any();
  draft.keep(draft.node("Sqrt", {above_one(draft, x.id)}), std::sqrt(x.bound + 1));
  return true;
}

bool make_reciprocal(Draft& draft) {
  draft.keep(draft.node("Reciprocal", {above_one(draft, draft.any().id)}), 1);
  return true;
}

bool make_power(Draft& draft) {
  const auto x = draft.any();
  const bool square = draft.random.chance(50);
  if (x.bound > 2) return false;
  draft.keep(draft.node("Pow", {x.id, draft.real(square ? 2 : 3)}), std::pow(x.bound, 3) + 1);
  return true;
}

/// A shape that broadcasts to `sizes`; an axis of the batch stays 1.
Sizes narrowed(Draft& draft, const Sizes& sizes) {
  Sizes narrow(sizes.begin() + draft.random.between(0, static_cast<std::int64_t>(sizes.size())),
               sizes.end());
  for (auto& size : narrow)
    if (size < 0 || draft.random.chance(30)) size = 1;
  return narrow;
}

bool broadcasts(const Sizes& a, const Sizes& b) {
  for (std::size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
    const auto x = a[a.size() - i], y = b[b.size() - i];
    if (x != y && x != 1 && y != 1) return false;
  }
  return true;
}

/// The batch must meet the batch: only equal ranks, or a constant.
std::optional<Live> partner(Draft& draft, const Live& x) {
  if (draft.random.chance(40)) return Live{draft.floats(narrowed(draft, draft.sizes(x.id)), 1), 1};
  const auto first = draft.first_axis();
  std::vector<Live> fitting;
  for (const auto& y : draft.pool) {
    const bool same_rank = draft.rank(y.id) == draft.rank(x.id);
    if ((first == 0 || same_rank) && broadcasts(draft.sizes(x.id), draft.sizes(y.id)))
      fitting.push_back(y);
  }
  if (fitting.empty()) return std::nullopt;
  return draft.random.pick(fitting);
}

bool make_binary(Draft& draft) {
  static const std::vector<std::string> ops = {"Add", "Sub", "Mul", "Div",
                                               "Max", "Min", "Sum", "Mean"};
  const auto x = draft.any();
  const auto other = partner(draft, x);
  if (!other) return false;
  const auto& op = draft.random.pick(ops);
  const auto y = op == "Div" ? above_one(draft, other->id) : other->id;
  const bool turned = op != "Div" && draft.random.chance(30);
  const auto id = draft.node(op, turned ? std::vector{y, x.id} : std::vector{x.id, y});
  if (!draft.fits(draft.sizes(id))) return false;
  const double sum = x.bound + other->bound;
  draft.keep(id, op == "Mul" ? x.bound * other->bound : op == "Div" ? x.bound : sum);
  return true;
}

bool make_clip(Draft& draft) {
  const auto x = draft.any();
  const auto low = draft.random.chance(70) ? draft.real(-0.5F) : graph::kNoValue;
  const auto high = draft.random.chance(70) ? draft.real(0.75F) : graph::kNoValue;
  draft.keep(draft.node("Clip", {x.id, low, high}), x.bound + 1);
  return true;
}

bool make_prelu(Draft& draft) {
  const auto x = draft.any();
  const auto slope = draft.floats(narrowed(draft, draft.sizes(x.id)), 1);
  draft.keep(draft.node("PRelu", {x.id, slope}), x.bound);
  return true;
}

bool make_chosen(Draft& draft) {
  const auto x = draft.any();
  const auto other = draft.floats(narrowed(draft, draft.sizes(x.id)), 1);
  const auto drawn = draft.floats(narrowed(draft, draft.sizes(x.id)), 1);
  const auto mask = draft.node("Greater", {drawn, draft.real(0)});
  draft.keep(draft.node("Where", {mask, x.id, other}), x.bound + 1);
  return true;
}

/// From exact whole numbers to floats: compared, counted, looked up.
bool make_from_whole(Draft& draft) {
  if (draft.whole.empty()) return false;
  static const std::vector<std::string> compares = {"Equal", "Greater", "Less", "LessOrEqual",
                                                    "GreaterOrEqual"};
  auto number = draft.random.pick(draft.whole);
  if (draft.random.chance(30)) {
    number.id = draft.node("Mod", {number.id, draft.integer(3)});
    number.bound = 2;
  }
  auto made = number.id;
  if (draft.random.chance(60)) {
    made = draft.node(draft.random.pick(compares),
                      {number.id, draft.integer(draft.random.between(0, 4))});
    if (draft.random.chance(30)) made = draft.node("Not", {made});
    number.bound = 1;
  }
  draft.keep(draft.node("Cast", {made}, {{"to", std::int64_t{1}}}), number.bound);
  return true;
}

bool make_lookup(Draft& draft) {
  if (draft.whole.empty()) return false;
  const auto& number = draft.random.pick(draft.whole);
  const auto rows = static_cast<std::int64_t>(number.bound) + 1;
  if (draft.rank(number.id) + 1 > kHighestRank) return false;
  const auto table = draft.floats({rows, draft.random.between(1, 6)}, 1);
  const auto id = draft.node("Gather", {table, number.id}, {{"axis", std::int64_t{0}}});
  draft.keep(id, 1);
  return true;
}

// Some more than once: likelier.
constexpr Maker kMakers[] = {
    make_unary,  make_unary, make_unary,  make_binary,     make_binary,
    make_binary, make_log,   make_root,   make_reciprocal, make_power,
    make_clip,   make_prelu, make_chosen, make_from_whole, make_lookup,
};

}  // namespace

std::span<const Maker> elementwise_makers() {
  return kMakers;
}

}  // namespace inferometer::random_graphs
