// SPDX-License-Identifier: Apache-2.0
// Shapes through operators, shapes that are computed by the graph itself, and branches.
#include "graph/operators.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "graph/builder.hpp"
#include "graph/passes.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {
namespace {

using ::testing::HasSubstr;
using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;
using Attributes = Builder::Attributes;

Constant ints(const Ints& values) {
  return make_constant<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}
Constant number(std::int64_t value) {
  return make_constant<std::int64_t>({}, std::span<const std::int64_t>(&value, 1));
}
Constant reals(const Floats& values) {
  return make_constant<float>({static_cast<std::int64_t>(values.size())}, values);
}

std::vector<Dim> dims(const Ints& sizes) {
  return fixed_dims(sizes);
}

/// Shape of the first output of `op` on a float input, as text; further inputs are constants, one
/// of shape [-1] is left out.
std::string shape_after(const std::string& op, std::vector<Dim> x, Attributes attributes,
                        const std::vector<Constant>& more = {}, std::int64_t opset = 17) {
  Builder b("one", opset);
  std::vector<ValueId> inputs = {b.input("x", DType::F32, std::move(x))};
  for (const auto& constant : more) {
    inputs.push_back(constant.shape == Ints{-1} ? kNoValue : b.constant("", constant));
  }
  b.output(b.node(op, inputs, std::move(attributes), "it"), "y");
  const auto graph = b.build();
  return shape_text(*graph.value(graph.outputs[0]).shape);
}

const Constant kLeftOut{DType::F32, {-1}, {}, nullptr};

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    EXPECT_THAT(error.what(), HasSubstr("node it"));
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

std::string refused(const std::string& op, const Ints& x, Attributes attributes,
                    const std::vector<Constant>& more = {}, std::int64_t opset = 17) {
  return refusal([&] { shape_after(op, dims(x), std::move(attributes), more, opset); });
}

TEST(OperatorTable, NamesEachOperatorOnce) {
  std::set<std::string_view> names;
  for (const auto& row : operator_table()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(InferSlice, OldAndNewForm) {
  const auto x = dims({10, 20});
  EXPECT_EQ(shape_after("Slice", x, {{"starts", Ints{2}}, {"ends", Ints{-1}}}, {}, 9), "[7,20]");
  EXPECT_EQ(shape_after("Slice", x, {}, {ints({1}), ints({INT64_MAX}), ints({-1}), ints({3})}),
            "[10,7]");
  EXPECT_EQ(shape_after("Slice", x, {}, {ints({-1}), ints({INT64_MIN}), ints({0}), ints({-4})}),
            "[3,20]");
  EXPECT_EQ(shape_after("Slice", x, {}, {ints({5}), ints({2})}), "[0,20]");
  EXPECT_EQ(shape_after("Slice", x, {}, {ints({0}), ints({9}), ints({0}), ints({INT64_MIN})}),
            "[0,20]");
}

TEST(InferSlice, KeepsWhatItDoesNotCut) {
  const std::vector<Dim> x = {symbol_dim("N"), {8, ""}};
  EXPECT_EQ(shape_after("Slice", x, {}, {ints({0}), ints({4}), ints({1})}), "[N,4]");
  EXPECT_EQ(shape_after("Slice", x, {}, {ints({0}), ints({INT64_MAX}), ints({0})}), "[N,8]");
  EXPECT_EQ(shape_after("Slice", x, {}, {ints({1}), ints({4}), ints({0})}), "[?,8]");
}

TEST(InferSlice, Refuses) {
  EXPECT_THAT(refused("Slice", {4}, {}, {ints({0}), ints({2}), ints({0}), ints({0})}),
              HasSubstr("step of 0"));
  EXPECT_THAT(refused("Slice", {4}, {}, {ints({0}), ints({2, 3})}), HasSubstr("differ in length"));
  EXPECT_THAT(refused("Slice", {4}, {}, {ints({0}), ints({2}), ints({1})}), HasSubstr("axis 1"));
  EXPECT_THAT(refused("Slice", {4}, {}, {reals({0}), ints({2})}), HasSubstr("integers are needed"));
  EXPECT_THAT(refused("Slice", {4}, {}, {ints(Ints(1000, 0)), ints({2})}), HasSubstr("at most"));
}

TEST(InferSplit, EveryWayToAsk) {
  const auto sizes = [](std::size_t outputs, const Attributes& attributes,
                        std::vector<Constant> more, std::int64_t opset) {
    Builder b("one", opset);
    std::vector<ValueId> inputs = {b.input("x", DType::F32, dims({7, 2}))};
    for (auto& constant : more) inputs.push_back(b.constant("", std::move(constant)));
    std::string text;
    for (const auto id : b.node_with_outputs("Split", inputs, outputs, attributes, "it")) {
      b.output(id, "y" + std::to_string(id));
    }
    const auto graph = b.build();
    for (const auto id : graph.outputs) text += shape_text(*graph.value(id).shape);
    return text;
  };
  EXPECT_EQ(sizes(2, {{"split", Ints{3, 4}}}, {}, 11), "[3,2][4,2]");
  EXPECT_EQ(sizes(2, {}, {ints({6, 1})}, 13), "[6,2][1,2]");
  EXPECT_EQ(sizes(3, {{"num_outputs", std::int64_t{3}}}, {}, 18), "[3,2][3,2][1,2]");
  EXPECT_EQ(sizes(2, {{"axis", std::int64_t{1}}}, {}, 13), "[7,1][7,1]");
  EXPECT_THAT(refusal([&] { sizes(2, {}, {}, 13); }), HasSubstr("can't be split"));
  EXPECT_THAT(refusal([&] { sizes(2, {}, {ints({6, 2})}, 13); }), HasSubstr("don't make up"));
  EXPECT_THAT(refusal([&] { sizes(2, {}, {ints({INT64_MAX, INT64_MAX})}, 13); }),
              HasSubstr("don't make up"));
}

TEST(InferPad, AddsAndCutsOff) {
  EXPECT_EQ(shape_after("Pad", dims({2, 3}), {{"pads", Ints{0, 1, 0, 2}}}, {}, 9), "[2,6]");
  EXPECT_EQ(shape_after("Pad", dims({2, 3}), {}, {ints({1, -1, 0, 0})}), "[3,2]");
  EXPECT_EQ(
      shape_after("Pad", {symbol_dim("N"), {3, ""}}, {}, {ints({1, 1}), kLeftOut, ints({-1})}, 18),
      "[N,5]");
  EXPECT_THAT(refused("Pad", {2}, {}, {ints({0, -3})}), HasSubstr("pads 0 and -3"));
  EXPECT_THAT(refused("Pad", {2}, {}, {ints({INT64_MAX, 1})}), HasSubstr("pads"));
  EXPECT_THAT(refused("Pad", {0}, {{"mode", std::string("edge")}}, {ints({1, 0})}),
              HasSubstr("nothing to repeat"));
}

TEST(InferMakers, TakeSizesFromValues) {
  EXPECT_EQ(shape_after("Expand", dims({3, 1}), {}, {ints({2, 1, 4})}), "[2,3,4]");
  EXPECT_EQ(shape_after("Tile", dims({3, 1}), {}, {ints({2, 5})}), "[6,5]");
  EXPECT_THAT(refused("Expand", {3}, {}, {ints({2})}), HasSubstr("can't be expanded"));
  EXPECT_THAT(refused("Tile", {3, 1}, {}, {ints({2, INT64_MAX}), kLeftOut}), HasSubstr("inputs"));
  EXPECT_THAT(refused("Tile", {3, 2}, {}, {ints({2, INT64_MAX})}), HasSubstr("overflows"));
}

TEST(InferReduce, AxesAsAttributeAndAsInput) {
  const auto x = dims({2, 3, 4});
  EXPECT_EQ(shape_after("ReduceSum", x, {{"axes", Ints{1}}}, {}, 11), "[2,1,4]");
  EXPECT_EQ(shape_after("ReduceSum", x, {{"keepdims", std::int64_t{0}}}, {ints({-1, 0})}), "[3]");
  EXPECT_EQ(shape_after("ReduceMax", x, {{"noop_with_empty_axes", std::int64_t{1}}}, {}, 18),
            "[2,3,4]");
  EXPECT_EQ(shape_after("ReduceMin", x, {{"keepdims", std::int64_t{0}}}), "[]");
  EXPECT_EQ(shape_after("ArgMax", x, {{"axis", std::int64_t{-1}}}), "[2,3,1]");
  EXPECT_THAT(refused("ReduceSum", {2, 3}, {}, {ints({1, -1})}), HasSubstr("given twice"));
}

TEST(InferResize, SizesAndScales) {
  const auto x = dims({1, 2, 4, 6});
  EXPECT_EQ(shape_after("Resize", x, {}, {reals({1, 1, 2, 0.5F})}, 10), "[1,2,8,3]");
  EXPECT_EQ(shape_after("Upsample", x, {{"scales", Floats{1, 1, 1.5F, 2}}}, {}, 7), "[1,2,6,12]");
  EXPECT_EQ(shape_after("Resize", x, {}, {kLeftOut, kLeftOut, ints({1, 2, 3, 3})}), "[1,2,3,3]");
  EXPECT_EQ(
      shape_after("Resize", x,
                  {{"axes", Ints{3, 2}}, {"keep_aspect_ratio_policy", std::string("not_larger")}},
                  {kLeftOut, kLeftOut, ints({12, 12})}, 18),
      "[1,2,8,12]");
  EXPECT_EQ(shape_after("Resize", {symbol_dim("N"), {3, ""}, symbol_dim("H")}, {},
                        {kLeftOut, reals({1, 1, 2})}),
            "[N,3,?]");
  EXPECT_EQ(shape_after("Resize", {symbol_dim("N"), {3, ""}}, {}, {kLeftOut, reals({1, 1.5F})}),
            "[N,4]");
  EXPECT_THAT(refused("Resize", {4}, {}, {kLeftOut, reals({-1})}), HasSubstr("scale of -1"));
  EXPECT_THAT(refused("Resize", {4}, {}, {kLeftOut, reals({1e30F})}), HasSubstr("a size of"));
  EXPECT_THAT(refused("Resize", {4}, {{"mode", std::string("best")}}, {kLeftOut, reals({1})}),
              HasSubstr("not known"));
}

TEST(InferConvTranspose, Sizes) {
  const auto weight = make_constant<float>({2, 3, 3, 3}, Floats(54, 0));
  const auto x = dims({1, 2, 5, 5});
  EXPECT_EQ(shape_after("ConvTranspose", x, {{"strides", Ints{2, 2}}}, {weight}), "[1,3,11,11]");
  EXPECT_EQ(
      shape_after(
          "ConvTranspose", x,
          {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 0}}},
          {weight}),
      "[1,3,10,9]");
  EXPECT_EQ(shape_after("ConvTranspose", x,
                        {{"strides", Ints{3, 2}}, {"output_shape", Ints{14, 10}}}, {weight}),
            "[1,3,14,10]");
  EXPECT_EQ(
      shape_after("ConvTranspose", x,
                  {{"strides", Ints{2, 3}}, {"auto_pad", std::string("SAME_UPPER")}}, {weight}),
      "[1,3,10,15]");
  EXPECT_THAT(refused("ConvTranspose", {1, 2, 5, 5}, {{"strides", Ints{INT64_MAX, 1}}}, {weight}),
              HasSubstr("axis 2"));
}

TEST(InferLstm, ChecksEveryInput) {
  const auto matrix = [](const Ints& shape) {
    std::int64_t count = 1;
    for (const auto size : shape) count *= size;
    return make_constant<float>(shape, Floats(static_cast<std::size_t>(count), 0));
  };
  const auto x = dims({7, 2, 3});
  EXPECT_EQ(shape_after("LSTM", x, {{"hidden_size", std::int64_t{4}}},
                        {matrix({1, 16, 3}), matrix({1, 16, 4})}),
            "[7,1,2,4]");
  EXPECT_EQ(shape_after("LSTM", x, {{"direction", std::string("bidirectional")}},
                        {matrix({2, 16, 3}), matrix({2, 16, 4})}),
            "[7,2,2,4]");
  EXPECT_THAT(refused("LSTM", {7, 2, 3}, {}, {matrix({1, 12, 3}), matrix({1, 16, 4})}),
              HasSubstr("input 1"));
  EXPECT_THAT(refused("LSTM", {7, 2, 3}, {{"direction", std::string("up")}},
                      {matrix({1, 16, 3}), matrix({1, 16, 4})}),
              HasSubstr("direction"));
}

/// The classic export of "flatten all but the batch" and its relatives.
TEST(ShapesAsData, KeepTheBatchSymbolic) {
  Builder b("flatten");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {3, ""}, {4, ""}});
  const auto shape = b.node("Shape", {x});
  const auto batch = b.node("Gather", {shape, b.constant("", number(0))});
  const auto listed = b.node("Unsqueeze", {batch, b.constant("", ints({0}))});
  const auto wanted =
      b.node("Concat", {listed, b.constant("", ints({-1}))}, {{"axis", std::int64_t{0}}});
  b.output(b.node("Reshape", {x, wanted}), "y");
  const auto graph = b.build();
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[N,12]");
  EXPECT_EQ(signature_of(graph).batch_symbol, "N");
}

/// PyTorch's expand: Where(wanted == -1, ones, wanted).
TEST(ShapesAsData, CompareAndChoose) {
  Builder b("expand");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {1, ""}});
  const auto shape = b.node("Shape", {x});
  const auto batch = b.node("Slice", {shape, b.constant("", ints({0})), b.constant("", ints({1}))});
  const auto wanted =
      b.node("Concat", {batch, b.constant("", ints({8}))}, {{"axis", std::int64_t{0}}});
  const auto ones = b.node("ConstantOfShape", {b.constant("", ints({2}))}, {{"value", ints({1})}});
  const auto lowered = b.node("Mul", {ones, b.constant("", number(-1))});
  const auto chosen = b.node("Where", {b.node("Equal", {wanted, lowered}), ones, wanted});
  b.output(b.node("Expand", {x, chosen}), "y");
  const auto graph = b.build();
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[N,8]");
}

TEST(ShapesAsData, FoldAwayWhenKnown) {
  Builder b("known");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {6, ""}});
  const auto width = b.node("Gather", {b.node("Shape", {x}), b.constant("", ints({1}))});
  const auto half = b.node("Div", {width, b.constant("", ints({2}))});
  const auto count = b.node("Cast", {b.node("Squeeze", {half})}, {{"to", std::int64_t{7}}});
  const auto range = b.node("Range", {b.constant("", number(0)), count, b.constant("", number(1))});
  b.output(b.node("Gather", {x, range}, {{"axis", std::int64_t{1}}}), "y");
  auto graph = b.build();
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[N,3]");
  fold_constants(graph);
  remove_dead(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(as_integers(*graph.value(graph.nodes[0].inputs[1]).constant), (Ints{0, 1, 2}));
}

Constant folded(const std::string& op, const std::vector<Constant>& inputs,
                Attributes attributes = {}) {
  Builder b("fold");
  std::vector<ValueId> ids;
  for (const auto& input : inputs) ids.push_back(b.constant("", input));
  b.output(b.node(op, ids, std::move(attributes), "it"), "y");
  auto graph = b.build();
  fold_constants(graph);
  EXPECT_TRUE(graph.nodes.empty()) << op;
  return *graph.value(graph.outputs[0]).constant;
}

TEST(FoldConstants, ComputesAndMoves) {
  EXPECT_EQ(as_reals(folded("Floor", {reals({1.5F, -1.5F})})), (std::vector<double>{1, -2}));
  EXPECT_EQ(as_reals(folded("Max", {reals({1, 5}), reals({3})})), (std::vector<double>{3, 5}));
  EXPECT_EQ(as_integers(folded("Mod", {ints({-7, 7}), ints({3, -3})})), (Ints{2, -2}));
  EXPECT_EQ(as_integers(folded("Less", {ints({1, 4}), ints({3})})), (Ints{1, 0}));
  EXPECT_EQ(as_reals(folded("Slice", {reals({1, 2, 3, 4}), ints({-1}), ints({INT64_MIN}), ints({0}),
                                      ints({-2})})),
            (std::vector<double>{4, 2}));
  EXPECT_EQ(as_reals(folded("Expand", {reals({1, 2}), ints({2, 2})})),
            (std::vector<double>{1, 2, 1, 2}));
  EXPECT_EQ(as_reals(folded("Tile", {reals({1, 2}), ints({2})})),
            (std::vector<double>{1, 2, 1, 2}));
  EXPECT_EQ(as_integers(folded("ConstantOfShape", {ints({2})}, {{"value", ints({7})}})),
            (Ints{7, 7}));
  const auto choice = make_constant<bool>({2}, std::span<const bool>(std::array{true, false}));
  EXPECT_EQ(as_reals(folded("Where", {choice, reals({1}), reals({8, 9})})),
            (std::vector<double>{1, 9}));
}

TEST(FoldConstants, StopsAtTheLimit) {
  Builder b("large");
  const auto sizes = b.constant("", ints({1 << 20, 1 << 10}));
  b.output(b.node("ConstantOfShape", {sizes}), "y");
  auto graph = b.build();
  fold_constants(graph);
  EXPECT_EQ(graph.nodes.size(), 1U);
}

std::shared_ptr<Graph> branch(const std::string& op) {
  auto body = std::make_shared<Graph>();
  body->values = {{"x", {}, {}, {}}, {"inner", {}, {}, {}}};
  body->captured = {0};
  body->outputs = {1};
  body->nodes = {{"in", op, "", {0}, {1}, {}}};
  return body;
}

Graph choosing(ValueId (*condition)(Builder&, ValueId)) {
  Builder b("choice");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {4, ""}});
  b.output(b.node("If", {condition(b, x)},
                  {{"then_branch", branch("Relu")}, {"else_branch", branch("Neg")}}, "it"),
           "y");
  return b.build();
}

TEST(Branches, AKnownConditionTakesOne) {
  auto graph = choosing([](Builder& b, ValueId x) {
    const auto width = b.node("Gather", {b.node("Shape", {x}), b.constant("", number(1))});
    return b.node("Equal", {width, b.constant("", number(5))});
  });
  fold_constants(graph);
  remove_dead(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, "Neg");
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
  infer_shapes(graph);
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[N,4]");
}

/// carried' = carried * 2, row = carried' + captured; goes on while it is told to.
std::shared_ptr<Graph> doubling() {
  auto body = std::make_shared<Graph>();
  for (const auto* name : {"i", "go_on", "carried", "doubled", "row", "offset"})
    body->values.push_back({name, {}, {}, {}, {}});
  body->inputs = {0, 1, 2};
  body->outputs = {1, 3, 4};
  body->captured = {5};
  body->nodes = {{"double", "Add", "", {2, 2}, {3}, {}}, {"row", "Add", "", {3, 5}, {4}, {}}};
  return body;
}

/// Outputs: the carried value, and the rows.
Graph looping(ValueId (*trips)(Builder&), std::int64_t opset = 17) {
  Builder b("loop", opset);
  const auto x = b.input("x", DType::F32, {{2, ""}});
  b.constant("offset", {}, std::vector<float>{1});
  const auto results =
      b.node_with_outputs("Loop", {trips(b), kNoValue, x}, 2, {{"body", doubling()}}, "it");
  b.output(results[0], "y");
  b.output(results[1], "rows");
  return b.build();
}

TEST(Loops, AKnownTripCountIsUnrolled) {
  for (const std::int64_t opset : {11, 17}) {
    auto graph = looping([](Builder& b) { return b.constant("", number(3)); }, opset);
    fold_constants(graph);
    infer_shapes(graph);
    remove_dead(graph);
    EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[2]");
    EXPECT_EQ(shape_text(*graph.value(graph.outputs[1]).shape), "[3,2]");
    std::map<std::string, int> ops;
    for (const auto& node : graph.nodes) ++ops[node.op];
    EXPECT_EQ(ops, (std::map<std::string, int>{{"Add", 6}, {"Concat", 2}, {"Unsqueeze", 3}}));
  }
}

TEST(Loops, AnOpenTripCountStays) {
  auto graph = looping([](Builder& b) { return b.input("n", DType::I64, {}); });
  fold_constants(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, "Loop");
}

TEST(Loops, ALongOneIsKept) {
  auto graph = looping([](Builder& b) { return b.constant("", number(1LL << 40)); });
  fold_constants(graph);
  EXPECT_EQ(graph.nodes.back().op, "Loop");
  EXPECT_LT(graph.nodes.size(), 1U << 18);
}

TEST(Loops, NoIterationGivesNoRows) {
  auto graph = looping([](Builder& b) { return b.constant("", number(0)); });
  EXPECT_THROW(fold_constants(graph), Error) << "nothing says what a row is";
  graph = looping([](Builder& b) { return b.constant("", number(0)); });
  auto& body = *std::get<std::shared_ptr<Graph>>(graph.nodes[0].attributes["body"]);
  body.value(body.outputs[2]).dtype = DType::F32;
  body.value(body.outputs[2]).shape = {{2, ""}};
  fold_constants(graph);
  infer_shapes(graph);
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[1]).shape), "[0,2]");
}

TEST(Loops, WhatABodyDeclaresHoldsForOneIteration) {
  // carried' = Concat(carried, carried): the body says [2], and is right once.
  Builder b("growing");
  const auto x = b.input("x", DType::F32, {{2, ""}});
  const auto body = std::make_shared<Graph>();
  for (const auto* name : {"i", "go_on", "carried", "grown"})
    body->values.push_back({name, {}, {}, {}, {}});
  body->inputs = {0, 1, 2};
  body->outputs = {1, 3};
  body->values[3].dtype = DType::F32;
  body->values[3].shape = {{4, ""}};
  body->nodes = {{"grow", "Concat", "", {2, 2}, {3}, {{"axis", std::int64_t{0}}}}};
  b.output(b.node("Loop", {b.constant("", number(3)), kNoValue, x}, {{"body", body}}, "it"), "y");
  auto graph = b.build();
  fold_constants(graph);
  infer_shapes(graph);
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[16]");
}

TEST(Loops, AFileCannotPassForAStartedOne) {
  Builder b("forged");
  const auto x = b.input("x", DType::F32, {{2, ""}});
  const auto seven = b.constant("", number(7));
  const auto results = b.node_with_outputs(
      "Loop", {b.constant("", number(10)), kNoValue, x, x, seven}, 2, {{"body", doubling()}}, "it");
  b.output(results[0], "y");
  auto graph = b.build();
  EXPECT_THROW(fold_constants(graph), Error);
}

TEST(Branches, AnOpenConditionStays) {
  auto graph = choosing([](Builder& b, ValueId) { return b.input("c", DType::Bool, {}); });
  fold_constants(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, "If");
}

}  // namespace
}  // namespace inferometer::graph
