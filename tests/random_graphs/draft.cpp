// SPDX-License-Identifier: Apache-2.0
#include "draft.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/operators.hpp"
#include "graph/passes.hpp"
#include "inferometer/error.hpp"

namespace inferometer::random_graphs {

using graph::ValueId;

Draft::Draft(std::uint64_t seed, std::int64_t opset, bool has_batch)
    : random(seed), has_batch_(has_batch) {
  graph_.name = fmt::format("random_{}", seed);
  graph_.opset = opset;
}

Sizes Draft::sizes(ValueId id) const {
  Sizes sizes;
  for (const auto& dim : *graph_.value(id).shape) sizes.push_back(dim.size);
  return sizes;
}

std::int64_t Draft::elements(const Sizes& sizes) const {
  std::int64_t count = 1;
  for (const auto size : sizes) count *= size < 0 ? kRowsMeant : size;
  return count;
}

bool Draft::fits(const Sizes& sizes) const {
  return sizes.size() <= kHighestRank && elements(sizes) <= kMostElements && elements(sizes) > 0;
}

ValueId Draft::add_value(graph::Value value) {
  graph_.values.push_back(std::move(value));
  return static_cast<ValueId>(graph_.values.size() - 1);
}

void Draft::add_input(DType dtype, const Sizes& sizes, double bound) {
  std::vector<Dim> shape;
  for (const auto size : sizes) shape.push_back({size, size < 0 ? "N" : ""});
  const auto id = add_value({.name = fmt::format("x{}", graph_.inputs.size()),
                             .dtype = dtype,
                             .shape = std::move(shape),
                             .constant = {},
                             .elements = {}});
  graph_.inputs.push_back(id);
  (dtype == DType::F32 ? pool : whole).push_back({id, bound});
}

ValueId Draft::add_constant(graph::Constant constant) {
  std::vector<Dim> shape;
  for (const auto size : constant.shape) shape.push_back({size, ""});
  const auto dtype = constant.dtype;
  return add_value({.name = fmt::format("w{}", graph_.values.size()),
                    .dtype = dtype,
                    .shape = std::move(shape),
                    .constant = std::move(constant),
                    .elements = {}});
}

ValueId Draft::floats(const Sizes& shape, double scale) {
  if (random.chance(40)) {
    for (const auto& weight : weights_)
      if (weight.bound <= scale && sizes(weight.id) == shape) return weight.id;
  }
  std::vector<float> values(static_cast<std::size_t>(elements(shape)));
  for (auto& value : values) value = random.real() * static_cast<float>(scale);
  const auto id = add_constant(graph::make_constant<float>(shape, values));
  weights_.push_back({id, scale});
  return id;
}

ValueId Draft::integers(const Sizes& values) {
  return add_constant(graph::make_constant<std::int64_t>({static_cast<std::int64_t>(values.size())},
                                                         std::span<const std::int64_t>(values)));
}

ValueId Draft::integer(std::int64_t value) {
  return add_constant(
      graph::make_constant<std::int64_t>({}, std::span<const std::int64_t>(&value, 1)));
}

ValueId Draft::real(float value) {
  return add_constant(graph::make_constant<float>({}, std::span<const float>(&value, 1)));
}

ValueId Draft::reals(const std::vector<float>& values) {
  return add_constant(graph::make_constant<float>({static_cast<std::int64_t>(values.size())},
                                                  std::span<const float>(values)));
}

std::vector<ValueId> Draft::nodes(const std::string& op, std::vector<ValueId> inputs,
                                  std::size_t outputs, Attributes attributes) {
  graph::Node node{.name = fmt::format("{}_{}", op, graph_.nodes.size()),
                   .op = op,
                   .domain = "",
                   .inputs = std::move(inputs),
                   .outputs = {},
                   .attributes = std::move(attributes)};
  for (std::size_t i = 0; i < outputs; ++i)
    node.outputs.push_back(add_value({.name = fmt::format("{}_{}", node.name, i),
                                      .dtype = {},
                                      .shape = {},
                                      .constant = {},
                                      .elements = {}}));
  graph_.nodes.push_back(std::move(node));
  graph::infer_node(graph_, graph_.nodes.back());
  return graph_.nodes.back().outputs;
}

ValueId Draft::node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes) {
  return nodes(op, std::move(inputs), 1, std::move(attributes)).front();
}

void Draft::keep(ValueId id, double bound) {
  const auto made = sizes(id);
  if (std::any_of(made.begin() + static_cast<std::ptrdiff_t>(first_axis()), made.end(),
                  [](std::int64_t size) { return size < 1; }))
    throw Error(Status::Invalid,
                fmt::format("{}: shape inference leaves sizes open that it could know",
                            graph_.value(id).name));
  if (bound > kLargestBound) {
    id = node("Tanh", {id});
    bound = 1;
  }
  pool.push_back({id, bound});
}

const Live& Draft::any() {
  const auto count = static_cast<std::int64_t>(pool.size());
  const auto oldest = random.chance(70) ? std::max<std::int64_t>(0, count - 3) : 0;
  return pool[static_cast<std::size_t>(random.between(oldest, count - 1))];
}

std::optional<Live> Draft::any_of_rank(std::size_t lowest, std::size_t highest) {
  std::vector<Live> fitting;
  for (const auto& live : pool)
    if (rank(live.id) >= lowest && rank(live.id) <= highest) fitting.push_back(live);
  if (fitting.empty()) return std::nullopt;
  if (fitting.size() > 3 && random.chance(70)) fitting.erase(fitting.begin(), fitting.end() - 3);
  return random.pick(fitting);
}

std::int64_t Draft::any_axis(ValueId id) {
  return random.between(static_cast<std::int64_t>(first_axis()),
                        static_cast<std::int64_t>(rank(id)) - 1);
}

graph::Graph Draft::finish(const std::vector<ValueId>& outputs) const {
  graph::Graph graph = graph_;
  graph.outputs = outputs;
  graph::remove_dead(graph);
  return graph;
}

}  // namespace inferometer::random_graphs
