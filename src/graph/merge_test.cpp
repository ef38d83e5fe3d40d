// SPDX-License-Identifier: Apache-2.0
#include "graph/merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "graph/builder.hpp"
#include "graph/passes.hpp"
#include "graph/sizes.hpp"
#include "inferometer/error.hpp"

namespace inferometer::graph {
namespace {

using ::testing::HasSubstr;

/// y = -x
Graph part_of(std::vector<Dim> shape, DType dtype = DType::F32, std::int64_t opset = 17) {
  Builder b("part", opset);
  const auto x = b.input("x", dtype, std::move(shape));
  b.output(b.node("Neg", {x}), "y");
  return b.build();
}

std::string refusal(const Graph& a, const Graph& b, const std::string& name_of_b = "b") {
  const std::vector<Part> parts = {{"a", a}, {name_of_b, b}};
  try {
    merge(parts);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

std::string output_shape(const Graph& graph, std::size_t output) {
  return shape_text(*graph.value(graph.outputs[output]).shape);
}

TEST(Merge, OneSetOfInputsAndEveryOutput) {
  const std::vector<Part> parts = {{"a", part_of({symbol_dim("N"), symbol_dim("len")})},
                                   {"b", part_of({symbol_dim("batch"), symbol_dim("T")})}};
  const auto whole = merge(parts);
  ASSERT_EQ(whole.inputs.size(), 1u);
  EXPECT_EQ(whole.value(whole.inputs[0]).name, "x");
  ASSERT_EQ(whole.outputs.size(), 2u);
  EXPECT_EQ(whole.value(whole.outputs[1]).name, "b/y");
  EXPECT_EQ(output_shape(whole, 0), "[N,len]");
  EXPECT_EQ(output_shape(whole, 1), "[N,len]");
  EXPECT_EQ(signature_of(whole).batch_symbol, "N");
}

TEST(Merge, AnAxisThatOnePartFixesIsFixedForAll) {
  const std::vector<Part> parts = {{"a", part_of({symbol_dim("N"), {4, ""}})},
                                   {"b", part_of({{8, ""}, symbol_dim("T")})}};
  const auto whole = merge(parts);
  EXPECT_EQ(output_shape(whole, 0), "[8,4]");
  EXPECT_EQ(output_shape(whole, 1), "[8,4]");
}

TEST(Merge, PartsThatDontFitAreRefusedByName) {
  const auto usual = part_of({symbol_dim("N"), {4, ""}});
  EXPECT_THAT(refusal(usual, part_of({symbol_dim("N"), {5, ""}})),
              HasSubstr("input 'x' of part 'b' has an axis of 5, others of 4"));
  EXPECT_THAT(refusal(usual, part_of({symbol_dim("N")})), HasSubstr("another dtype or rank"));
  EXPECT_THAT(refusal(usual, part_of({symbol_dim("N"), {4, ""}}, DType::F64)),
              HasSubstr("another dtype or rank"));
  EXPECT_THAT(refusal(usual, part_of({symbol_dim("N"), {4, ""}}, DType::F32, 13)),
              HasSubstr("opset 13"));
  EXPECT_THAT(refusal(usual, part_of({symbol_dim("S"), symbol_dim("S")})),
              HasSubstr("needs axes called 'S' to be equal"));
  EXPECT_THAT(refusal(usual, usual, "a"), HasSubstr("given twice"));
  Builder none("no input");
  none.output(none.constant("c", {1}, std::vector<float>{1}), "y");
  EXPECT_THAT(refusal(usual, none.build()), HasSubstr("has 0 inputs"));
}

}  // namespace
}  // namespace inferometer::graph
