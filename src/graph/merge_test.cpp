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

TEST(Merge, ANamedAxisGoesBeforeANamelessOne) {
  const Dim nameless{-1, ""};
  const std::vector<Part> parts = {{"a", part_of({nameless, {4, ""}})},
                                   {"b", part_of({symbol_dim("N"), {4, ""}})}};
  const auto whole = merge(parts);
  EXPECT_EQ(output_shape(whole, 0), "[b/N,4]");
  EXPECT_EQ(signature_of(whole).batch_symbol, "b/N");
}

TEST(Merge, NamesStayApart) {
  auto nested = part_of({symbol_dim("N")});
  nested.value(nested.outputs[0]).name = "b/y";
  const std::vector<Part> parts = {{"a", nested}, {"a/b", part_of({symbol_dim("N")})}};
  const auto whole = merge(parts);
  EXPECT_EQ(whole.value(whole.outputs[0]).name, "a/b/y");
  EXPECT_EQ(whole.value(whole.outputs[1]).name, "a/b/y'");
}

TEST(Merge, ABodysOwnNamesAreNotMistakenForTheCommonInput) {
  const auto usual = part_of({symbol_dim("N")});
  Builder b("branch");
  b.input("image", DType::F32, {symbol_dim("N")});
  const auto body = std::make_shared<Graph>();
  body->values = {{"image", {}, {}, {}, {}},
                  {"x", {}, {}, {}, {}}};  // "x" is the common input's name
  body->captured = {0};
  body->outputs = {1};
  body->nodes = {{"in", "Neg", "", {0}, {1}, {}}};
  const auto yes = b.constant("yes", [] {
    auto constant = make_constant<std::uint8_t>({}, std::vector<std::uint8_t>{1});
    constant.dtype = DType::Bool;
    return constant;
  }());
  b.output(b.node("If", {yes}, {{"then_branch", body}, {"else_branch", body}}), "y");
  const std::vector<Part> parts = {{"a", usual}, {"b", b.build()}};
  auto whole = merge(parts);
  const auto& branch = whole.nodes.back().attributes.at("then_branch");
  EXPECT_EQ(std::get<std::shared_ptr<Graph>>(branch)->value(0).name, "b/image");
  fold_constants(whole);
  EXPECT_EQ(whole.value(whole.outputs[1]).name, "b/y");
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
