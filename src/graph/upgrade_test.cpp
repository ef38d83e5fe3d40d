// SPDX-License-Identifier: Apache-2.0
#include "graph/upgrade.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "graph/builder.hpp"
#include "graph/sizes.hpp"
#include "inferometer/error.hpp"

namespace inferometer::graph {
namespace {

using ::testing::HasSubstr;
using Ints = std::vector<std::int64_t>;

/// x is f32 [2,3,4]; `second` a constant of that shape.
Graph upgraded(const std::string& op, Builder::Attributes attributes, const Ints& second = {},
               std::int64_t opset = 6) {
  Builder b("old", opset);
  std::vector<ValueId> inputs = {b.input("x", DType::F32, fixed_dims(Ints{2, 3, 4}))};
  if (!second.empty()) {
    std::size_t count = 1;
    for (const auto size : second) count *= static_cast<std::size_t>(size);
    inputs.push_back(b.constant("s", second, std::vector<float>(count, 1)));
  }
  b.output(b.node(op, inputs, std::move(attributes), "it"), "y");
  auto graph = b.graph();
  upgrade_to_opset_7(graph);
  EXPECT_EQ(graph.opset, 7);
  return graph;
}

std::string nodes(const Graph& graph) {
  std::string text;
  for (const auto& node : graph.nodes) text += (text.empty() ? "" : " ") + node.op;
  return text;
}

std::string second_shape(const Graph& graph) {
  return shape_text(*graph.value(graph.nodes.back().inputs[1]).shape);
}

TEST(Upgrade, ABroadcastAlongAnAxisIsAligned) {
  const auto middle =
      upgraded("Add", {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{1}}}, {3});
  EXPECT_EQ(nodes(middle), "Unsqueeze Add");
  EXPECT_EQ(second_shape(middle), "[3,1]");
  EXPECT_EQ(shape_text(*middle.value(middle.outputs[0]).shape), "[2,3,4]");
  const auto from_the_end =
      upgraded("Mul", {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{-3}}}, {2, 3});
  EXPECT_EQ(second_shape(from_the_end), "[2,3,1]");
}

TEST(Upgrade, ABroadcastOfTheLastAxesIsTheUsualOne) {
  EXPECT_EQ(nodes(upgraded("Add", {{"broadcast", std::int64_t{1}}}, {3, 4})), "Add");
  EXPECT_EQ(
      nodes(upgraded("Add", {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{2}}}, {4})),
      "Add");
  EXPECT_EQ(
      nodes(upgraded("Add", {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{0}}}, {1})),
      "Add");
}

TEST(Upgrade, AnAxisWithoutABroadcastMeansNothing) {
  EXPECT_EQ(nodes(upgraded("Add", {{"broadcast", std::int64_t{0}}, {"axis", std::int64_t{1}}},
                           {2, 3, 4})),
            "Add");
}

TEST(Upgrade, ASlopeIsPerChannel) {
  const auto graph = upgraded("PRelu", {}, {3});
  EXPECT_EQ(nodes(graph), "Unsqueeze PRelu");
  EXPECT_EQ(second_shape(graph), "[3,1]");
}

TEST(Upgrade, WhatMovedIsFound) {
  const auto reshape = upgraded("Reshape", {{"shape", Ints{6, -1}}}, {}, 4);
  EXPECT_EQ(shape_text(*reshape.value(reshape.outputs[0]).shape), "[6,4]");
  const auto pad = upgraded("Pad", {{"paddings", Ints{0, 0, 1, 0, 0, 1}}}, {}, 1);
  EXPECT_EQ(shape_text(*pad.value(pad.outputs[0]).shape), "[2,3,6]");
  const auto cast = upgraded("Cast", {{"to", std::string("INT64")}}, {}, 5);
  EXPECT_EQ(cast.value(cast.outputs[0]).dtype, DType::I64);
  EXPECT_EQ(nodes(upgraded("Relu", {{"consumed_inputs", Ints{0}}}, {}, 1)), "Relu");
}

std::string refusal(const Graph& old) {
  auto graph = old;
  try {
    upgrade_to_opset_7(graph);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

TEST(Upgrade, AnAxisThatDoesNotFitIsRefused) {
  for (const std::int64_t axis : {-4LL, 3LL, 7LL, -1'000'000'000'000LL, 1LL << 63}) {
    Builder b("old", 6);
    const auto x = b.input("x", DType::F32, fixed_dims(Ints{2, 3, 4}));
    const auto s = b.constant("s", {3}, std::vector<float>(3));
    b.output(b.node("Add", {x, s}, {{"broadcast", std::int64_t{1}}, {"axis", axis}}, "it"), "y");
    EXPECT_THAT(refusal(b.graph()), HasSubstr("node it (Add)")) << axis;
  }
  Builder b("old", 6);
  const auto x = b.input("x", DType::F32, fixed_dims(Ints{2, 3, 4}));
  const auto s = b.constant("s", {3, 4}, std::vector<float>(12));
  b.output(b.node("Add", {x, s}, {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{2}}}, "it"),
           "y");
  EXPECT_THAT(refusal(b.graph()), HasSubstr("don't fit into rank 3"));
}

TEST(Upgrade, ALeftOutInputIsRefused) {
  for (const auto& [op, axis] : std::map<std::string, bool>{{"PRelu", false}, {"Add", true}}) {
    Builder b("old", 6);
    const auto x = b.input("x", DType::F32, fixed_dims(Ints{2, 3}));
    Builder::Attributes attributes;
    if (axis) attributes = {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{0}}};
    b.output(b.node(op, {x, kNoValue}, attributes, "it"), "y");
    EXPECT_THAT(refusal(b.graph()), HasSubstr("node it (" + op + ")"));
  }
}

TEST(Upgrade, ABodyIsRefused) {
  Builder b("old", 6);
  const auto c = b.input("c", DType::Bool, {});
  const auto body = std::make_shared<Graph>();
  b.output(b.node("If", {c}, {{"then_branch", body}, {"else_branch", body}}, "it"), "y");
  EXPECT_THAT(refusal(b.graph()), HasSubstr("node it (If) of opset 6 has a body"));
}

TEST(Upgrade, TrainingIsRefused) {
  try {
    upgraded("BatchNormalization", {});
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Unsupported);
    EXPECT_THAT(error.what(), HasSubstr("node it (BatchNormalization) of opset 6 trains"));
  }
}

}  // namespace
}  // namespace inferometer::graph
