// SPDX-License-Identifier: Apache-2.0
#include "graph/clusters.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "graph/passes.hpp"
#include "graph/zoo.hpp"

namespace inferometer::graph {
namespace {

using Ints = std::vector<std::int64_t>;

/// "Conv+Add+Relu Sigmoid+Mul"
std::string found(const Graph& graph) {
  std::string text;
  for (const auto& cluster : find_clusters(graph)) {
    text += text.empty() ? "" : " ";
    for (const auto node : cluster.nodes)
      text += (node == cluster.nodes.front() ? "" : "+") + graph.nodes[node].op;
  }
  return text;
}

struct Image {
  Builder b{"clusters"};
  ValueId x = b.input("x", DType::F32, {symbol_dim("N"), {2, ""}, {4, ""}, {4, ""}});
  ValueId weight = b.constant("w", {2, 2, 1, 1}, std::vector<float>(4, 1));
  ValueId per_channel = b.constant("s", {2, 1, 1}, std::vector<float>(2, 1));
};

TEST(Clusters, AConvolutionTakesItsEpilogue) {
  Image m;
  const auto conv = m.b.node("Conv", {m.x, m.weight});
  const auto scaled = m.b.node("Mul", {conv, m.per_channel});
  const auto sum = m.b.node("Add", {m.x, scaled});
  m.b.output(m.b.node("Relu", {sum}), "y");
  const auto graph = m.b.build();
  EXPECT_EQ(found(graph), "Conv+Mul+Add+Relu");
  EXPECT_TRUE(find_clusters(graph)[0].is_epilogue);
}

TEST(Clusters, AnotherReaderEndsOne) {
  Image m;
  const auto conv = m.b.node("Conv", {m.x, m.weight});
  const auto relu = m.b.node("Relu", {conv});
  m.b.output(m.b.node("Neg", {relu}), "y");
  m.b.output(m.b.node("Abs", {relu}), "z");
  EXPECT_EQ(found(m.b.build()), "Conv+Relu");
}

TEST(Clusters, AnOutputOfTheGraphEndsOne) {
  Image m;
  const auto relu = m.b.node("Relu", {m.x});
  m.b.output(relu, "early");
  m.b.output(m.b.node("Abs", {m.b.node("Neg", {relu})}), "late");
  EXPECT_EQ(found(m.b.build()), "Neg+Abs");
}

TEST(Clusters, ANodeThatReadsItTwiceFollows) {
  Image m;
  const auto half = m.b.node("Sigmoid", {m.x});
  m.b.output(m.b.node("Mul", {half, half}), "y");
  EXPECT_EQ(found(m.b.build()), "Sigmoid+Mul");
}

TEST(Clusters, OfTwoTheLaterIsFollowed) {
  Image m;
  const auto first = m.b.node("Conv", {m.x, m.weight});
  const auto second = m.b.node("Conv", {m.b.node("Relu", {first}), m.weight});
  const auto third = m.b.node("Conv", {m.x, m.weight});
  m.b.output(m.b.node("Add", {third, second}), "y");
  const auto graph = m.b.build();
  EXPECT_EQ(found(graph), "Conv+Relu Conv+Add");
  const auto clusters = find_clusters(graph);
  EXPECT_EQ(clusters[1].nodes, (std::vector<std::size_t>{3, 4}));
}

TEST(Clusters, AShapeThatGrowsEndsOne) {
  Builder b("grows");
  const auto row = b.input("row", DType::F32, {{1, ""}, {4, ""}});
  const auto matrix = b.input("matrix", DType::F32, {{3, ""}, {4, ""}});
  const auto flipped = b.node("Neg", {b.node("Abs", {row})});
  b.output(b.node("Relu", {b.node("Add", {flipped, matrix})}), "y");
  EXPECT_EQ(found(b.build()), "Abs+Neg Add+Relu");
}

TEST(Clusters, ResNetsAreWhatTheyLookLike) {
  auto graph = zoo("resnet50");
  infer_shapes(graph);
  fold_batch_norm(graph);
  remove_dead(graph);
  std::size_t with_sum = 0, epilogues = 0;
  for (const auto& cluster : find_clusters(graph)) {
    epilogues += cluster.is_epilogue;
    with_sum += graph.nodes[cluster.nodes[1]].op == "Add";
  }
  EXPECT_EQ(epilogues, 49u);  // 53 convolutions without the four on the shortcuts
  EXPECT_EQ(with_sum, 16u);   // the blocks
}

}  // namespace
}  // namespace inferometer::graph
