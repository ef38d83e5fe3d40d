// SPDX-License-Identifier: Apache-2.0
#include "graph/layout_plan.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "graph/passes.hpp"
#include "graph/zoo.hpp"

namespace inferometer::graph {
namespace {

using Ints = std::vector<std::int64_t>;

/// "image->last logits->plain"
std::string converted(const Graph& graph) {
  std::string text;
  for (const auto& [value, to] : conversions(graph, plan_layout(graph))) {
    text += (text.empty() ? "" : " ") + graph.value(value).name +
            (to == Layout::ChannelsLast ? "->last" : "->plain");
  }
  return text;
}

struct Image {
  explicit Image(std::int64_t opset = 17) : b("layout", opset) {}
  Builder b;
  ValueId weight = b.constant("w", {2, 2, 1, 1}, std::vector<float>(4, 1));
  ValueId first(std::string name = "x") {
    return b.input(std::move(name), DType::F32, {symbol_dim("N"), {2, ""}, {4, ""}, {4, ""}});
  }
  ValueId last(std::string name = "x") {
    return b.input(std::move(name), DType::F32, {symbol_dim("N"), {4, ""}, {4, ""}, {2, ""}});
  }
  ValueId conv(ValueId x, std::string name = "") {
    return b.node("Conv", {x, weight}, {}, std::move(name));
  }
  ValueId transpose(ValueId x, Ints perm) {
    return b.node("Transpose", {x}, {{"perm", std::move(perm)}});
  }
};

TEST(LayoutPlan, NetworksConvertTheirImageAndWhatAClassifierFlattens) {
  for (const auto* name : {"resnet50", "densenet201", "efficientnet_b0"}) {
    auto graph = zoo(name);
    infer_shapes(graph);
    const auto image = graph.value(graph.inputs[0]).name;
    EXPECT_EQ(converted(graph), image + "->last") << name;
  }
  // The classifier reads 7 x 7 places: their order is the file's.
  auto vgg = zoo("vgg19");
  infer_shapes(vgg);
  EXPECT_EQ(conversions(vgg, plan_layout(vgg)).size(), 2u);
}

TEST(LayoutPlan, TransposesOfTheFileAreNone) {
  Image m;
  const auto x = m.transpose(m.last(), {0, 3, 1, 2});
  const auto y = m.b.node("Relu", {m.conv(m.b.node("Relu", {x}))});
  m.b.output(m.transpose(y, {0, 2, 3, 1}), "y");
  EXPECT_EQ(converted(m.b.build()), "");
}

TEST(LayoutPlan, ElementwiseNodesFollowTheCheaperSide) {
  Image m;
  const auto x = m.first();
  m.b.output(m.b.node("Relu", {m.b.node("Abs", {x})}), "y");
  EXPECT_EQ(converted(m.b.build()), "") << "nothing wants channels last";
}

TEST(LayoutPlan, ABranchThatStaysPlainIsConvertedOnce) {
  Image m;
  const auto made = m.b.node("Relu", {m.conv(m.first(), "a")}, {}, "relu");
  m.b.output(m.b.node("Flatten", {made}), "flat");
  m.b.output(m.b.node("Flatten", {made}), "again");
  m.b.output(m.conv(made, "b"), "z");
  EXPECT_EQ(converted(m.b.build()), "x->last relu_out->plain z->plain");
}

TEST(LayoutPlan, ABroadcastAlongOtherAxesStaysPlain) {
  Image m;
  const auto row =
      m.b.input("row", DType::F32, {{4, ""}});  // lies along W, which is the last axis no more
  const auto sum = m.b.node("Add", {m.conv(m.first()), row}, {}, "sum");
  m.b.output(m.conv(sum), "y");
  const auto graph = m.b.build();
  EXPECT_EQ(conversions(graph, plan_layout(graph)).size(), 4u);
}

TEST(LayoutPlan, RunTimeFiltersStayPlain) {
  Image m;
  const auto filters =
      m.conv(m.b.input("f", DType::F32, {{2, ""}, {2, ""}, {3, ""}, {3, ""}}), "made");
  m.b.output(m.b.node("Conv", {m.first(), filters}, {}, "it"), "y");
  EXPECT_EQ(converted(m.b.build()), "f->last x->last made_out->plain y->plain");
}

TEST(LayoutPlan, WhatABranchCapturesStaysPlain) {
  Image m;
  const auto made = m.conv(m.first(), "made");
  const auto body = std::make_shared<Graph>();
  body->values = {{m.b.graph().value(made).name, {}, {}, {}, {}}, {"flat", {}, {}, {}, {}}};
  body->captured = {0};
  body->outputs = {1};
  body->nodes = {{"in", "Flatten", "", {0}, {1}, {}}};
  const auto c = m.b.input("c", DType::Bool, {});
  m.b.output(m.b.node("If", {c}, {{"then_branch", body}, {"else_branch", body}}), "y");
  EXPECT_EQ(converted(m.b.build()), "x->last made_out->plain");
}

TEST(LayoutPlan, SequencesAreTransposedThereAndBack) {
  Builder b("sequence");
  const auto weight = b.constant("w", {2, 2, 1}, std::vector<float>(4, 1));
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {8, ""}, {2, ""}});
  const Builder::Attributes swap = {{"perm", Ints{0, 2, 1}}};
  const auto y = b.node("Relu", {b.node("Conv", {b.node("Transpose", {x}, swap), weight})});
  b.output(b.node("Transpose", {y}, swap), "y");
  EXPECT_EQ(converted(b.build()), "");
}

TEST(LayoutPlan, LeftOutOutputsAndStatisticsOfPlacesStayPlain) {
  Image m;
  const auto halves =
      m.b.node_with_outputs("Split", {m.conv(m.first())}, 2, {{"axis", std::int64_t{1}}});
  m.b.output(m.conv(m.b.node("Concat", {halves[1], halves[1]}, {{"axis", std::int64_t{1}}})), "y");
  auto graph = m.b.build();
  graph.nodes[1].outputs[0] = kNoValue;
  EXPECT_EQ(plan_layout(graph).nodes[1], Layout::Plain);

  Image n(7);
  const auto statistics = n.b.constant("p", {2, 4, 4}, std::vector<float>(32, 1));
  const auto norm = n.b.node("BatchNormalization",
                             {n.conv(n.first()), statistics, statistics, statistics, statistics},
                             {{"spatial", std::int64_t{0}}});
  n.b.output(n.conv(norm), "y");
  auto places = n.b.build();
  EXPECT_EQ(plan_layout(places).nodes[1], Layout::Plain);
  places.nodes[1].attributes["spatial"] = std::int64_t{1};
  EXPECT_EQ(plan_layout(places).nodes[1], Layout::ChannelsLast) << "the cheaper side otherwise";
}

TEST(LayoutPlan, AxesHaveTheirPlaceInTheOtherLayout) {
  for (const auto& [plain, last] : std::map<int, int>{{0, 0}, {1, 3}, {2, 1}, {3, 2}})
    EXPECT_EQ(channels_last_axis(plain, 4), last);
}

}  // namespace
}  // namespace inferometer::graph
