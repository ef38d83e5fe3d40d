// SPDX-License-Identifier: Apache-2.0
#include "graph/zoo.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/passes.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {
namespace {

struct Expected {
  std::string name;
  std::int64_t parameters;
  int convs, gemms;
  double giga_macs;
};

class Networks : public ::testing::TestWithParam<Expected> {};

TEST_P(Networks, HaveTheirPublishedSize) {
  const auto graph = zoo(GetParam().name);
  EXPECT_EQ(count_parameters(graph), GetParam().parameters);
  EXPECT_NEAR(static_cast<double>(count_macs(graph)) / 1e9, GetParam().giga_macs,
              0.01 * GetParam().giga_macs);
  const auto count = [&](const char* op) {
    return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                         [&](const Node& n) { return n.op == op; });
  };
  EXPECT_EQ(count("Conv"), GetParam().convs);
  EXPECT_EQ(count("Gemm"), GetParam().gemms);
  EXPECT_EQ(graph.nodes.back().op, "Softmax");
  EXPECT_TRUE(unknown_operators(graph).empty());
  const auto signature = signature_of(graph);
  EXPECT_EQ(signature.batch_symbol, "N");
  EXPECT_EQ(signature.inputs[0].name, "input");
  EXPECT_EQ(shape_text(signature.inputs[0].shape), "[N,3,224,224]");
  EXPECT_EQ(signature.outputs[0].name, "output");
  EXPECT_EQ(shape_text(signature.outputs[0].shape), "[N,1000]");
}

INSTANTIATE_TEST_SUITE_P(Zoo, Networks,
                         ::testing::Values(Expected{"vgg19", 143'667'240, 16, 3, 19.63},
                                           Expected{"resnet50", 25'557'032, 53, 1, 4.089},
                                           Expected{"densenet201", 20'013'928, 200, 1, 4.291},
                                           Expected{"efficientnet_b0", 5'288'548, 81, 1, 0.386}),
                         [](const auto& param) { return param.param.name; });

TEST(Zoo, SeedsAndSizes) {
  const auto weights = [](std::uint64_t seed) {
    const auto graph = zoo("tiny_mlp", {.seed = seed});
    for (const auto& value : graph.values) {
      if (value.constant) return as_reals(*value.constant);
    }
    return std::vector<double>();
  };
  EXPECT_EQ(weights(1), weights(1));
  EXPECT_NE(weights(1), weights(2));
  const auto fixed = signature_of(zoo("resnet50", {.batch = 4, .image_size = 64}));
  EXPECT_EQ(fixed.batch_size, 4);
  EXPECT_EQ(shape_text(fixed.inputs[0].shape), "[4,3,64,64]");
  const auto pair = signature_of(zoo("two_in_two_out"));
  EXPECT_EQ(pair.inputs.size(), 2U);
  EXPECT_EQ(pair.outputs.size(), 2U);
  EXPECT_EQ(pair.batch_symbol, "N");
}

TEST(Zoo, TheFirstWeightsNeverChange) {
  const auto graph = zoo("tiny_mlp");
  for (const auto& value : graph.values) {
    if (value.name != "gemm_1.weight") continue;
    const auto weights = as_reals(*value.constant);
    double sum = 0, power = 0;
    for (int i = 0; i < 16; ++i) sum += weights[static_cast<std::size_t>(i)];
    for (const auto weight : weights) power += weight * weight;
    EXPECT_NEAR(sum, 0, 1e-6) << "filters are centred";
    EXPECT_NEAR(power / static_cast<double>(weights.size()), 1.0 / 16, 0.01);
    return;
  }
  FAIL() << "no gemm_1.weight";
}

TEST(Zoo, RefusesWithAdvice) {
  const auto refused = [](const std::string& name, const ZooOptions& options,
                          const std::string& word) {
    try {
      zoo(name, options);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused("resnet5", {}, "did you mean resnet50?");
  refused("vgg19", {.image_size = 31}, "32..4096");
  refused("tiny_mlp", {.image_size = 32}, "no image size");
  refused("resnet50", {.batch = 0}, "batch must be 1 or more");
}

}  // namespace
}  // namespace inferometer::graph
