// SPDX-License-Identifier: Apache-2.0
// What the lab tells of a model file.
#include "campaign/lab.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "graph/builder.hpp"
#include "graph/onnx.hpp"

namespace inferometer::campaign {
namespace {

namespace fs = std::filesystem;

/// x -> softmax "p" over `axis`, and "y" = -x, of shape [N,4,1,2].
ModelFacts facts_of(std::int64_t opset, std::int64_t axis) {
  graph::Builder b("outputs", opset);
  const auto x = b.input("x", DType::F32, {graph::symbol_dim("N"), {4, ""}, {1, ""}, {2, ""}});
  b.output(b.node("Softmax", {x}, {{"axis", axis}}), "p");
  b.output(b.node("Neg", {x}), "y");
  const auto path =
      fs::temp_directory_path() / ("inferometer_lab_" + std::to_string(::getpid()) + ".onnx");
  graph::write_onnx(b.build(), path);
  auto facts = make_lab()->model(path);
  fs::remove(path);
  return facts;
}

TEST(Lab, KnowsWhichOutputIsASoftmaxAndOverWhat) {
  const auto facts = facts_of(17, -3);
  ASSERT_EQ(facts.softmaxes.size(), 2u);
  ASSERT_TRUE(facts.softmaxes[0]);
  EXPECT_EQ(facts.softmaxes[0]->first, 1);
  EXPECT_EQ(facts.softmaxes[0]->last, 2);
  EXPECT_FALSE(facts.softmaxes[1]);
}

TEST(Lab, AnOldSoftmaxRunsToTheEnd) {
  const auto facts = facts_of(11, 1);
  ASSERT_TRUE(facts.softmaxes.at(0));
  EXPECT_EQ(facts.softmaxes[0]->first, 1);
  EXPECT_EQ(facts.softmaxes[0]->last, 4);
}

}  // namespace
}  // namespace inferometer::campaign
