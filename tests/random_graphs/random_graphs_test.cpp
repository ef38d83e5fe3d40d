// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "generator.hpp"
#include "shrink.hpp"

namespace inferometer::random_graphs {
namespace {

std::vector<std::string> ops_of(const graph::Graph& graph) {
  std::vector<std::string> ops;
  for (const auto& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

TEST(RandomGraph, FollowsFromItsSeed) {
  EXPECT_EQ(ops_of(random_graph(7).graph), ops_of(random_graph(7).graph));
  EXPECT_NE(ops_of(random_graph(7).graph), ops_of(random_graph(8).graph));
}

/// How often a constant is read, at most.
std::size_t most_readers(const graph::Graph& graph) {
  std::map<graph::ValueId, std::size_t> readers;
  std::size_t most = 0;
  for (const auto& node : graph.nodes)
    for (const auto id : node.inputs)
      if (id != graph::kNoValue && graph.value(id).constant) most = std::max(most, ++readers[id]);
  return most;
}

TEST(RandomGraph, CoversWhatUsersBring) {
  std::set<std::string> ops;
  std::size_t batched = 0, several_outputs = 0, shared = 0, small = 0, large = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const auto graph = random_graph(seed).graph;
    for (auto& op : ops_of(graph)) ops.insert(std::move(op));
    batched += graph.value(graph.inputs.front()).shape->front().symbol == "N";
    several_outputs += graph.outputs.size() > 1;
    shared += most_readers(graph) > 1;
    small += graph.nodes.size() < 20;
    large += graph.nodes.size() > 60;
    EXPECT_LE(graph.nodes.size(), 200U);
  }
  EXPECT_GE(ops.size(), 75U);
  EXPECT_GE(batched, 200U);
  EXPECT_LE(batched, 300U);
  EXPECT_GE(several_outputs, 250U);
  EXPECT_GE(shared, 200U);
  EXPECT_GE(small, 100U);
  EXPECT_GE(large, 40U);
}

TEST(Shrink, LeavesTheNodeThatIsToBlame) {
  const auto has_pool = [](const RandomGraph& made) {
    return std::ranges::count(ops_of(made.graph), "MaxPool") > 0;
  };
  std::uint64_t seed = 1;
  while (!has_pool(random_graph(seed)) || random_graph(seed).graph.nodes.size() < 40) ++seed;
  EXPECT_THAT(ops_of(shrink(random_graph(seed), has_pool).graph), testing::ElementsAre("MaxPool"));
}

}  // namespace
}  // namespace inferometer::random_graphs
