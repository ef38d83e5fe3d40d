// SPDX-License-Identifier: Apache-2.0
// A merged graph computes what its parts compute.
#include "graph/merge.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "graph/zoo.hpp"
#include "one_op.hpp"
#include "plan.hpp"

namespace inferometer::reference {
namespace {

std::vector<Floats> computed(const graph::Graph& graph, const std::vector<Tensor>& inputs) {
  const Fed fed(inputs);
  const auto plan = make_plan(graph, fed.shapes);
  std::vector<Tensor> outputs;
  for (const auto& place : plan->outputs) outputs.emplace_back(place.view.dtype, place.view.shape);
  const std::vector<View> out(outputs.begin(), outputs.end());
  Arena arena;
  Pool pool(1);
  run_plan(*plan, fed.views, out, arena, pool, multipliers().back(), {});
  std::vector<Floats> results;
  for (const auto& output : outputs) results.push_back(values<float>(output));
  return results;
}

std::vector<Tensor> ramp_inputs(const graph::Graph& graph, std::int64_t rows) {
  std::vector<Tensor> inputs;
  for (const auto id : graph.inputs) {
    std::vector<std::int64_t> sizes;
    for (const auto& dim : *graph.value(id).shape) sizes.push_back(dim.size < 0 ? rows : dim.size);
    Tensor input(DType::F32, Shape(std::span<const std::int64_t>(sizes)));
    float next = -1;
    for (auto& value : input.as<float>()) value = next += 0.01F;
    inputs.push_back(std::move(input));
  }
  return inputs;
}

TEST(Merge, ComputesWhatThePartsCompute) {
  for (const auto* name : {"tiny_cnn", "two_in_two_out"}) {
    const auto a = graph::zoo(name, {.seed = 1}), b = graph::zoo(name, {.seed = 2});
    const std::vector<graph::Part> parts = {{"a", a}, {"b", b}};
    const auto whole = graph::merge(parts);
    const auto inputs = ramp_inputs(whole, 3);
    auto wanted = computed(a, inputs);
    for (auto& output : computed(b, inputs)) wanted.push_back(std::move(output));
    EXPECT_NE(wanted.front(), wanted.back());
    EXPECT_EQ(computed(whole, inputs), wanted) << name;
  }
}

TEST(Merge, HandsAnInputOn) {
  graph::Builder plain("plain");
  const auto x = plain.input("x", DType::F32, {graph::symbol_dim("N"), {2, ""}});
  plain.output(plain.node("Neg", {x}), "y");
  auto through = plain.build();
  through.outputs.push_back(through.inputs[0]);
  const std::vector<graph::Part> parts = {{"a", through}, {"b", through}};
  const auto whole = graph::merge(parts);
  ASSERT_EQ(whole.outputs.size(), 4u);
  EXPECT_EQ(whole.value(whole.outputs[1]).name, "a/x");
  EXPECT_EQ(whole.value(whole.outputs[2]).name, "b/y");
  const auto results = computed(whole, ramp_inputs(whole, 1));
  EXPECT_EQ(results[1], results[3]);
  EXPECT_EQ(results[0], results[2]);
  EXPECT_NE(results[0], results[1]);
}

}  // namespace
}  // namespace inferometer::reference
