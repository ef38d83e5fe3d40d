// SPDX-License-Identifier: Apache-2.0
// The runner's own judgement: a yardstick that passes everything would never be noticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "base/file.hpp"
#include "expectations.hpp"
#include "graph/builder.hpp"
#include "graph/onnx.hpp"
#include "judge.hpp"

namespace inferometer::onnx_cases {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

template <class T>
Tensor tensor_of(Shape shape, std::vector<T> values) {
  Tensor tensor(dtype_of<T>(), shape);
  std::copy(values.begin(), values.end(), tensor.as<T>().begin());
  return tensor;
}

std::string difference(const Tensor& got, const Tensor& expected) {
  try {
    require_equal(std::vector{got}, std::vector{expected});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Mismatch);
    return error.what();
  }
  return "";
}

TEST(RequireEqual, ToleratesOneInAThousand) {
  const Tensor expected = tensor_of<float>({2}, {1000, 0});
  EXPECT_EQ(difference(tensor_of<float>({2}, {1000.9F, 0}), expected), "");
  EXPECT_EQ(difference(tensor_of<float>({2}, {1001.1F, 0}), expected),
            "output 0: 1 of 2 values off, element 0 is 1001.1 instead of 1000");
  EXPECT_EQ(difference(tensor_of<float>({2}, {1000, 9e-8F}), expected), "");
  EXPECT_NE(difference(tensor_of<float>({2}, {1000, 2e-7F}), expected), "");
}

TEST(RequireEqual, TakesNanForNanOnly) {
  const float inf = INFINITY, nan = NAN;
  const Tensor expected = tensor_of<float>({3}, {nan, inf, -inf});
  EXPECT_EQ(difference(expected, expected), "");
  EXPECT_NE(difference(tensor_of<float>({3}, {0, inf, -inf}), expected), "");
  EXPECT_NE(difference(tensor_of<float>({3}, {nan, nan, -inf}), expected), "");
  EXPECT_NE(difference(tensor_of<float>({3}, {nan, inf, inf}), expected), "");
  EXPECT_NE(difference(tensor_of<float>({3}, {nan, inf, -3e38F}), expected), "");
}

TEST(RequireEqual, WantsDtypeShapeAndExactIntegers) {
  const Tensor expected = tensor_of<std::int64_t>({1, 2}, {1000000, 2});
  EXPECT_EQ(difference(expected, expected), "");
  EXPECT_NE(difference(tensor_of<std::int64_t>({1, 2}, {1000001, 2}), expected), "");
  EXPECT_EQ(difference(tensor_of<std::int64_t>({2}, {1000000, 2}), expected),
            "output 0: i64 [2] instead of i64 [1,2]");
  EXPECT_NE(difference(tensor_of<std::int32_t>({1, 2}, {1000000, 2}), expected), "");
}

TEST(RequireEqual, ComparesScalarsAndNothing) {
  EXPECT_NE(difference(tensor_of<float>({}, {1}), tensor_of<float>({}, {2})), "");
  EXPECT_EQ(difference(tensor_of<float>({0, 3}, {}), tensor_of<float>({0, 3}, {})), "");
  EXPECT_NE(difference(tensor_of<float>({0, 3}, {}), tensor_of<float>({3, 0}, {})), "");
}

const Case kTile{.name = "test_tile", .operators = {"Tile"}};
const Case kArgMax{.name = "test_argmax", .operators = {"ArgMax"}};
const Case kArgMaxToo{.name = "test_argmax_too", .operators = {"ArgMax", "Cast"}};

Expectations table() {
  return parse_expectations(
      "# title\n\nunsupported: no such operator\n  ArgMax\n\nmismatch: wrong\n  test_tile\n", "t");
}

TEST(Expectations, HoldResultsAgainstTheTable) {
  EXPECT_EQ(contradiction(table(), {&kTile, "mismatch", "off"}), std::nullopt);
  EXPECT_EQ(contradiction(table(), {&kArgMaxToo, "unsupported", ""}), std::nullopt);
  EXPECT_THAT(*contradiction(table(), {&kTile, "ok", ""}), HasSubstr("passes, the table says"));
  EXPECT_THAT(*contradiction(table(), {&kTile, "crashed", "signal"}), HasSubstr("crashed: signal"));
  EXPECT_THAT(*contradiction({}, {&kTile, "mismatch", "off"}), HasSubstr("ok expected"));
}

TEST(Expectations, AcceptAnyEndingOfAnUnstableCase) {
  const auto unstable = parse_expectations("unstable: garbage\n  test_tile\n", "t");
  for (const char* word : {"ok", "mismatch", "crashed"})
    EXPECT_EQ(contradiction(unstable, {&kTile, word, ""}), std::nullopt) << word;
  EXPECT_THAT(updated(unstable, {{&kTile, "ok", ""}}).cases,
              ElementsAre(Pair("test_tile", testing::_)));
}

TEST(Expectations, AreRefusedWhenMalformed) {
  for (const char* text : {"  test_tile\n", "mismatch\n", "mismatch: \n", "wrong: reason\n",
                           "mismatch: a\n  test_tile\n  test_tile\n"})
    EXPECT_THROW(parse_expectations(text, "t"), Error) << text;
}

TEST(Expectations, AreRewrittenAsTheResultsAre) {
  const auto now = updated(table(), {{&kTile, "mismatch", "off by one"},
                                     {&kArgMax, "ok", ""},
                                     {&kArgMaxToo, "unsupported", "operator ArgMax"}});
  EXPECT_THAT(now.operators, IsEmpty()) << "one of its cases passes";
  EXPECT_EQ(to_text(now, "title"),
            "# title\n\nmismatch: wrong\n  test_tile\n\nunsupported: operator ArgMax\n  "
            "test_argmax_too\n");
}

TEST(Expectations, NameAnOperatorThatNoCaseOfItPasses) {
  const auto now = updated(table(), {{&kArgMax, "unsupported", "operator ArgMax (node A)"},
                                     {&kArgMaxToo, "unsupported", "operator ArgMax (node B)"}});
  EXPECT_EQ(to_text(now, "t"), "# t\n\nunsupported: no such operator\n  ArgMax\n");
}

TEST(Freeze, MakesIntegerInputsInitialisers) {
  graph::Builder builder("reshape");
  const auto x = builder.input("x", DType::F32, {{2, ""}, {3, ""}});
  const auto shape = builder.input("shape", DType::I64, {{1, ""}});
  builder.output(builder.node("Reshape", {x, shape}), "y");
  const auto path = std::filesystem::temp_directory_path() /
                    ("onnx_cases_freeze_" + std::to_string(::getpid()) + ".onnx");
  graph::write_onnx(builder.build(), path);
  const std::string text = read_text(path);
  const auto bytes = std::as_bytes(std::span(text));
  const ModelFacts facts = read_facts(bytes);
  EXPECT_THAT(facts.operators, ElementsAre("Reshape"));
  ASSERT_THAT(freezable(facts), ElementsAre(1));

  const std::int64_t size = 6;
  const std::vector values{graph::make_constant<std::int64_t>({1}, {&size, 1})};
  const std::string frozen = freeze(bytes, facts, freezable(facts), values);
  const graph::Graph graph = graph::read_onnx(std::as_bytes(std::span(frozen)));
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
  EXPECT_THAT(graph::as_integers(*graph.value(graph.nodes[0].inputs[1]).constant), ElementsAre(6));
  EXPECT_THAT(freezable(read_facts(std::as_bytes(std::span(frozen)))), IsEmpty());
}

TEST(Freeze, LeavesAModelOfIntegersOnlyAlone) {
  EXPECT_THAT(freezable({.inputs = {{"a", 7}, {"b", 6}}}), IsEmpty());
}

TEST(CaseClasses, GoByPortsAndOperators) {
  const ModelFacts plain{.inputs = {{"x", 1}}, .outputs = {{"y", 7}}, .operators = {"Shape"}};
  EXPECT_EQ(class_of("test_shape", plain), CaseClass::Float);
  EXPECT_TRUE(within_first_operators(plain));
  EXPECT_FALSE(within_first_operators({.operators = {"Shape", "ArgMax"}}));
  EXPECT_EQ(class_of("test_x", {.inputs = {{"x", 7}}, .outputs = {{"y", 9}}}), CaseClass::Integer);
  EXPECT_EQ(class_of("test_x", {.inputs = {{"x", 10}}}), CaseClass::OtherDtype);
  EXPECT_EQ(class_of("test_x", {.inputs = {{"x", 8}}}), CaseClass::String);
  EXPECT_EQ(class_of("test_x", {.inputs = {{"x", 0}}}), CaseClass::Sequence);
  EXPECT_EQ(class_of("test_nllloss_NC", plain), CaseClass::Loss);
}

}  // namespace
}  // namespace inferometer::onnx_cases
