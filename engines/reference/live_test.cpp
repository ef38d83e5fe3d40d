// SPDX-License-Identifier: Apache-2.0
// Graphs whose shapes depend on data.
#include "live.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "one_op.hpp"
#include "plan.hpp"

namespace inferometer::reference {
namespace {

std::vector<Tensor> run(const graph::Graph& graph, const std::vector<Tensor>& inputs) {
  const Fed fed(inputs);
  const auto plan = make_plan(graph, fed.shapes);
  EXPECT_NE(plan->live, nullptr);
  Pool pool(1);
  return run_live(*plan->live, fed.views, pool, multipliers().back());
}

TEST(Live, ReshapesAsTheDataSay) {
  graph::Builder b("live");
  const auto x = b.input("x", DType::F32, {graph::symbol_dim("N")});
  const auto wanted = b.input("shape", DType::I64, {{2, ""}});
  b.output(b.node("Neg", {b.node("Reshape", {x, wanted})}), "y");
  const auto graph = b.build();
  const auto x4 = tensor<float>({4}, {1, 2, 3, 4});
  const auto y = run(graph, {x4, tensor<std::int64_t>({2}, {2, -1})});
  EXPECT_EQ(y[0].shape(), (Shape{2, 2}));
  EXPECT_EQ(values<float>(y[0]), (Floats{-1, -2, -3, -4}));
  EXPECT_THROW(run(graph, {x4, tensor<std::int64_t>({2}, {3, -1})}), Error);
}

TEST(Live, ShapesThatTheFileClaimsDontCount) {
  graph::Builder b("liar");
  const auto x = b.input("x", DType::F32, {{4, ""}});
  const auto end = b.input("end", DType::I64, {{1, ""}});
  const auto from = b.constant("from", {1}, Longs{0});
  b.output(b.node("Slice", {x, from, end}), "y");
  auto graph = b.build();
  graph.value(graph.outputs[0]).shape = {{1, ""}};
  const auto y = run(graph, {tensor<float>({4}, {1, 2, 3, 4}), tensor<std::int64_t>({1}, {3})});
  EXPECT_EQ(values<float>(y[0]), (Floats{1, 2, 3}));
}

std::shared_ptr<graph::Graph> branch(const std::string& op) {
  auto body = std::make_shared<graph::Graph>();
  body->values = {{.name = "x", .dtype = {}, .shape = {}, .constant = {}},
                  {.name = "inner", .dtype = {}, .shape = {}, .constant = {}}};
  body->captured = {0};
  body->outputs = {1};
  body->nodes = {
      {.name = "in", .op = op, .domain = {}, .inputs = {0}, .outputs = {1}, .attributes = {}}};
  return body;
}

TEST(Live, TakesTheBranchOfTheData) {
  graph::Builder b("choice");
  b.input("x", DType::F32, {{2, ""}});
  const auto c = b.input("c", DType::Bool, {});
  b.output(b.node("If", {c}, {{"then_branch", branch("Abs")}, {"else_branch", branch("Neg")}}),
           "y");
  const auto graph = b.build();
  const auto data = tensor<float>({2}, {-1, 2});
  EXPECT_EQ(values<float>(run(graph, {data, tensor<bool>({}, {true})})[0]), (Floats{1, 2}));
  EXPECT_EQ(values<float>(run(graph, {data, tensor<bool>({}, {false})})[0]), (Floats{1, -2}));
}

/// While the sum is below 10: sum += x; the sums are gathered.
std::shared_ptr<graph::Graph> summing() {
  auto body = std::make_shared<graph::Graph>();
  for (const auto* name : {"i", "go_on", "sum", "more", "smaller", "x", "limit"})
    body->values.push_back({.name = name, .dtype = {}, .shape = {}, .constant = {}});
  body->inputs = {0, 1, 2};
  body->captured = {5, 6};
  body->outputs = {4, 3, 3};
  body->nodes = {{"add", "Add", "", {2, 5}, {3}, {}}, {"less", "Less", "", {3, 6}, {4}, {}}};
  return body;
}

TEST(Live, LoopsAsLongAsTheDataSay) {
  graph::Builder b("loop");
  const auto x = b.input("x", DType::F32, {});
  const auto most = b.input("most", DType::I64, {});
  b.constant("limit", {}, Floats{10});
  const auto results =
      b.node_with_outputs("Loop", {most, graph::kNoValue, x}, 2, {{"body", summing()}}, "it");
  b.output(results[0], "sum");
  b.output(results[1], "sums");
  const auto graph = b.build();
  const auto summed = [&](float step, std::int64_t most_trips) {
    return run(graph, {tensor<float>({}, {step}), tensor<std::int64_t>({}, {most_trips})});
  };
  const auto until_limit = summed(3, 100);
  EXPECT_EQ(values<float>(until_limit[0]), (Floats{12}));
  EXPECT_EQ(values<float>(until_limit[1]), (Floats{6, 9, 12}));
  EXPECT_EQ(values<float>(summed(3, 2)[1]), (Floats{6, 9}));
  EXPECT_THROW(summed(3, 0), Error) << "no row says what shape the rows have";
}

TEST(Plan, RefusesWhatTheMachineCantHold) {
  graph::Builder b("large");
  const auto sizes = b.constant("", {3}, Longs{1 << 30, 1 << 30, 0});
  b.output(b.node("ConstantOfShape", {sizes}), "y");
  const auto graph = b.build();
  try {
    make_plan(graph, {});
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::OutOfMemory);
  }
}

}  // namespace
}  // namespace inferometer::reference
