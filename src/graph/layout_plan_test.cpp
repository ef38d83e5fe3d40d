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
  Builder b{"layout"};
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

TEST(LayoutPlan, TheFourNetworksConvertTheirImageOnly) {
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

TEST(LayoutPlan, AxesHaveTheirPlaceInTheOtherLayout) {
  for (const auto& [plain, last] : std::map<int, int>{{0, 0}, {1, 3}, {2, 1}, {3, 2}})
    EXPECT_EQ(channels_last_axis(plain, 4), last);
}

}  // namespace
}  // namespace inferometer::graph
