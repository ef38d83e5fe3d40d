// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "graph/builder.hpp"
#include "graph/sizes.hpp"

namespace inferometer::graph {
namespace {

using ::testing::HasSubstr;
using Ints = std::vector<std::int64_t>;

Constant zeros(const Ints& shape) {
  Constant shaped{DType::F32, shape, {}, {}};
  return make_constant<float>(shape,
                              std::vector<float>(static_cast<std::size_t>(shaped.elements())));
}

/// Shape of `op` on a float input, as text; further inputs are constants.
std::string shape_after(const std::string& op, std::vector<Dim> x, Builder::Attributes attributes,
                        const std::vector<Constant>& more = {}, std::int64_t opset = 17) {
  Builder b("one", opset);
  std::vector<ValueId> inputs = {b.input("x", DType::F32, std::move(x))};
  for (const auto& constant : more) inputs.push_back(b.constant("", constant));
  b.output(b.node(op, inputs, std::move(attributes), "it"), "y");
  const auto graph = b.build();
  return shape_text(*graph.value(graph.outputs[0]).shape);
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

std::vector<Dim> image(std::int64_t channels, std::int64_t size) {
  return {symbol_dim("N"), {channels, ""}, {size, ""}, {size, ""}};
}

Constant shape_constant(const Ints& values) {
  return make_constant<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

TEST(InferShapes, Windows) {
  const auto weight = zeros({4, 3, 3, 3});
  EXPECT_EQ(shape_after("Conv", image(3, 8), {}, {weight}), "[N,4,6,6]");
  EXPECT_EQ(shape_after("Conv", image(3, 8), {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}},
                        {weight}),
            "[N,4,4,4]");
  EXPECT_EQ(shape_after("Conv", image(3, 8), {{"dilations", Ints{2, 3}}}, {weight}), "[N,4,4,2]");
  EXPECT_EQ(
      shape_after("Conv", image(3, 7),
                  {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}, {weight}),
      "[N,4,4,4]");
  EXPECT_EQ(shape_after("Conv", image(6, 8), {{"group", std::int64_t{2}}}, {weight}), "[N,4,6,6]");
  const Builder::Attributes pool = {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}};
  auto ceil = pool;
  ceil["ceil_mode"] = std::int64_t{1};
  EXPECT_EQ(shape_after("MaxPool", image(3, 6), pool), "[N,3,2,2]");
  EXPECT_EQ(shape_after("MaxPool", image(3, 6), ceil), "[N,3,3,3]");
  // The last window would begin in the padding behind the input.
  EXPECT_EQ(
      shape_after(
          "AveragePool", image(3, 2),
          {{"kernel_shape", Ints{1, 1}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}),
      "[N,3,1,1]");
  EXPECT_EQ(shape_after("Conv", {symbol_dim("N"), {3, ""}, symbol_dim("H"), {8, ""}}, {}, {weight}),
            "[N,4,?,6]");
}

TEST(InferShapes, WrongWindowsAreRefused) {
  const auto refused = [](const Builder::Attributes& attributes) {
    return refusal([&] { shape_after("Conv", image(3, 8), attributes, {zeros({4, 3, 3, 3})}); });
  };
  EXPECT_THAT(refused({{"strides", Ints{0, 1}}}), HasSubstr("strides"));
  EXPECT_THAT(refused({{"group", std::int64_t{0}}}), HasSubstr("group"));
  EXPECT_THAT(refused({{"pads", Ints{-1, 0, 0, 0}}}), HasSubstr("pads"));
  EXPECT_THAT(refused({{"pads", Ints{1, 1, 1}}}), HasSubstr("3 entries, expected 4"));
  EXPECT_THAT(refused({{"kernel_shape", Ints{5, 5}}}), HasSubstr("kernel_shape"));
  EXPECT_THAT(refused({{"dilations", Ints{std::int64_t{1} << 40, 1}}}), HasSubstr("doesn't fit"));
  EXPECT_THAT(refused({{"dilations", Ints{std::int64_t{1} << 62, 1}}}), HasSubstr("doesn't fit"));
  EXPECT_THAT(refused({{"strides", 2.0F}}), HasSubstr("must be a list of integers"));
  EXPECT_THAT(refused({{"stride", Ints{2, 2}}}), HasSubstr("no attribute stride"));
  EXPECT_THAT(refusal([&] { shape_after("Conv", image(4, 8), {}, {zeros({4, 3, 3, 3})}); }),
              HasSubstr("node it (Conv)"));
  EXPECT_THAT(refusal([&] { shape_after("Concat", image(4, 8), {{"axis", std::int64_t{4}}}); }),
              HasSubstr("axis 4 is outside"));
}

TEST(InferShapes, Layout) {
  const std::vector<Dim> x = {symbol_dim("N"), {3, ""}, {4, ""}};
  EXPECT_EQ(shape_after("Flatten", x, {}), "[N,12]");
  EXPECT_EQ(shape_after("Flatten", x, {{"axis", std::int64_t{-1}}}), "[?,4]");
  EXPECT_EQ(shape_after("Flatten", {{2, ""}, {3, ""}}, {{"axis", std::int64_t{0}}}), "[1,6]");
  EXPECT_EQ(shape_after("Reshape", x, {}, {shape_constant({0, -1})}), "[N,12]");
  EXPECT_EQ(shape_after("Reshape", x, {}, {shape_constant({-1, 12})}), "[N,12]");
  EXPECT_EQ(shape_after("Reshape", x, {}, {shape_constant({-1, 6})}), "[?,6]");
  EXPECT_EQ(shape_after("Transpose", x, {{"perm", Ints{2, 0, 1}}}), "[4,N,3]");
  EXPECT_EQ(shape_after("Unsqueeze", x, {}, {shape_constant({0, -1})}), "[1,N,3,4,1]");
  EXPECT_EQ(shape_after("Unsqueeze", x, {{"axes", Ints{1}}}, {}, 11), "[N,1,3,4]");
  EXPECT_EQ(shape_after("Squeeze", {symbol_dim("N"), {1, ""}}, {}, {shape_constant({1})}), "[N]");
  EXPECT_EQ(shape_after("ReduceMean", x, {{"axes", Ints{-1}}, {"keepdims", std::int64_t{0}}}),
            "[N,3]");
  EXPECT_EQ(shape_after("Gather", x, {{"axis", std::int64_t{1}}}, {shape_constant({0, 2})}),
            "[N,2,4]");
  EXPECT_EQ(shape_after("Shape", x, {}), "[3]");
  EXPECT_EQ(shape_after("MatMul", x, {}, {zeros({4, 5})}), "[N,3,5]");
  EXPECT_EQ(shape_after("MatMul", x, {}, {zeros({4})}), "[N,3]");
  EXPECT_EQ(shape_after("Add", x, {}, {zeros({3, 1})}), "[N,3,4]");
}

TEST(InferShapes, WrongLayoutIsRefused) {
  const std::vector<Dim> x = {{2, ""}, {3, ""}};
  const auto reshape = [&](const Ints& target) {
    return refusal([&] { shape_after("Reshape", x, {}, {shape_constant(target)}); });
  };
  EXPECT_THAT(reshape({-1, -1}), HasSubstr("more than one -1"));
  EXPECT_THAT(reshape({std::int64_t{1} << 62, 4}), HasSubstr("overflows"));
  EXPECT_THAT(reshape({4, 2}), HasSubstr("can't be reshaped"));
  EXPECT_THAT(reshape({-1, 4}), HasSubstr("can't be reshaped"));
  EXPECT_THAT(refusal([&] { shape_after("Gather", x, {}, {shape_constant({99})}); }),
              HasSubstr("99"));
  EXPECT_THAT(refusal([&] { shape_after("Add", x, {}, {zeros({4})}); }), HasSubstr("broadcast"));
  EXPECT_THAT(refusal([&] { shape_after("Transpose", x, {{"perm", Ints{0, 0}}}); }),
              HasSubstr("twice"));
}

TEST(InferShapes, UnknownOperatorsAreListed) {
  Builder b("strange");
  b.output(b.node("Warp", {b.input("x", DType::F32, {{2, ""}})}, {}, "w"), "y");
  const auto graph = b.build();
  EXPECT_FALSE(graph.value(graph.outputs[0]).shape);
  const auto unknown = unknown_operators(graph);
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_EQ(unknown[0].node, "w");
  EXPECT_EQ(unknown[0].op, "Warp");
}

TEST(BindDims, FixesSymbolsAndNamesTheNearest) {
  Builder b("bind");
  b.output(b.node("Relu", {b.input("x", DType::F32, {symbol_dim("N"), symbol_dim("seq")})}), "y");
  auto graph = b.build();
  bind_dims(graph, {{"seq", 128}});
  infer_shapes(graph);
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[N,128]");
  try {
    bind_dims(graph, {{"n", 2}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.context().at("param"), "dim.n");
    EXPECT_EQ(error.context().at("nearest"), "dim.N");
  }
  EXPECT_THAT(refusal([&] { bind_dims(graph, {{"N", 0}}); }), HasSubstr("dim.N"));
}

TEST(FoldConstants, ShapeArithmeticBecomesAConstant) {
  Builder b("fold");
  const auto x = b.input("x", DType::F32, {{2, ""}, {3, ""}, {4, ""}});
  const auto zero = b.constant<std::int64_t>("zero", {1}, {0});
  const auto minus = b.constant<std::int64_t>("minus", {1}, {-1});
  const auto first = b.node("Gather", {b.node("Shape", {x}), zero});
  const auto target =
      b.node("Concat", {b.node("Mul", {first, minus}), minus}, {{"axis", std::int64_t{0}}});
  const auto twice = b.node("Sub", {target, target});
  b.output(b.node("Reshape", {x, b.node("Add", {twice, b.node("Concat", {first, minus},
                                                              {{"axis", std::int64_t{0}}})})}),
           "y");
  auto graph = b.build();
  fold_constants(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(shape_text(*graph.value(graph.outputs[0]).shape), "[2,12]");
  remove_dead(graph);
  EXPECT_EQ(graph.values.size(), 3U);
}

TEST(FoldConstants, StaysBelowItsLimit) {
  Builder b("limit");
  const auto a = b.constant<float>("a", {1000, 1}, std::vector<float>(1000, 1));
  const auto c = b.constant<float>("c", {1, 1000}, std::vector<float>(1000, 2));
  b.output(b.node("Mul", {a, c}), "y");
  auto graph = b.build();
  fold_constants(graph, 3'999'999);
  EXPECT_EQ(graph.nodes.size(), 1U);
  fold_constants(graph, 4'000'000);
  ASSERT_EQ(graph.nodes.size(), 0U);
  EXPECT_EQ(as_reals(*graph.value(graph.outputs[0]).constant)[123'456], 2.0);
}

TEST(FoldConstants, MovesDataAsOnnxSays) {
  Builder b("move");
  const auto a = b.constant<std::int32_t>("a", {2, 3}, {1, 2, 3, 4, 5, 6});
  b.output(b.node("Transpose", {a}), "t");
  b.output(b.node("Gather", {a, b.constant<std::int64_t>("i", {2}, {-1, 0})},
                  {{"axis", std::int64_t{1}}}),
           "g");
  b.output(b.node("Concat", {a, a}, {{"axis", std::int64_t{1}}}), "c");
  b.output(b.node("Cast", {b.constant<float>("f", {3}, {-1.5F, 2.5F, 1e30F})},
                  {{"to", std::int64_t{6}}}),
           "i32");
  b.output(b.node("Div", {b.constant<std::int32_t>("d", {1}, {7}),
                          b.constant<std::int32_t>("z", {1}, {0})}),
           "div");
  auto graph = b.build();
  fold_constants(graph);
  const auto folded = [&](std::size_t i) {
    return as_integers(*graph.value(graph.outputs[i]).constant);
  };
  EXPECT_EQ(folded(0), (Ints{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(folded(1), (Ints{3, 1, 6, 4}));
  EXPECT_EQ(folded(2), (Ints{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  EXPECT_EQ(folded(3), (Ints{-1, 2, 2147483647}));
  EXPECT_EQ(graph.nodes.size(), 1U) << "a division by zero is left alone";
}

TEST(FoldBatchNorm, KeepsTheFunction) {
  Builder b("norm");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {1, ""}, {2, ""}, {2, ""}});
  const auto conv =
      b.node("Conv",
             {x, b.constant<float>("w", {2, 1, 1, 1}, {3, 5}), b.constant<float>("b", {2}, {1, 2})},
             {}, "conv");
  const auto norm = b.node(
      "BatchNormalization",
      {conv, b.constant<float>("scale", {2}, {2, 4}), b.constant<float>("shift", {2}, {10, 20}),
       b.constant<float>("mean", {2}, {0.5F, 1}), b.constant<float>("var", {2}, {3.99F, 0.99F})},
      {{"epsilon", 0.01F}});
  b.output(norm, "y");
  auto graph = b.build();
  fold_batch_norm(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].outputs[0], graph.outputs[0]);
  const auto weight = as_reals(*graph.value(graph.nodes[0].inputs[1]).constant);
  const auto bias = as_reals(*graph.value(graph.nodes[0].inputs[2]).constant);
  EXPECT_NEAR(weight[0], 3.0, 1e-6);   // 2 / sqrt(4) = 1
  EXPECT_NEAR(weight[1], 20.0, 1e-5);  // 4 / sqrt(1) = 4
  EXPECT_NEAR(bias[0], 10.5, 1e-5);
  EXPECT_NEAR(bias[1], 24.0, 1e-5);
}

TEST(FoldBatchNorm, LeavesAConvolutionThatOthersRead) {
  Builder b("shared");
  const auto x = b.input("x", DType::F32, {{1, ""}, {1, ""}, {2, ""}, {2, ""}});
  const auto conv = b.node("Conv", {x, b.constant<float>("w", {1, 1, 1, 1}, {3})});
  const auto one = b.constant<float>("one", {1}, {1});
  const auto norm = b.node("BatchNormalization", {conv, one, one, one, one});
  b.output(b.node("Add", {norm, conv}), "y");
  auto graph = b.build();
  fold_batch_norm(graph);
  EXPECT_EQ(graph.nodes.size(), 3U);
}

TEST(RemoveDead, KeepsADropoutThatMayTrain) {
  Builder b("training");
  const auto x = b.input("x", DType::F32, {{4, ""}});
  const auto training = b.input("t", DType::Bool, {});
  b.output(b.node("Neg", {b.node("Dropout", {x, kNoValue, training})}), "y");
  auto graph = b.build();
  remove_dead(graph);
  EXPECT_EQ(graph.nodes.size(), 2U);
}

TEST(RemoveDead, KeepsOutputsAndTheirNames) {
  Builder b("dead");
  const auto x = b.input("x", DType::F32, {symbol_dim("N")});
  const auto hidden = b.node("Identity", {b.node("Relu", {x})});
  b.node("Sigmoid", {hidden});
  b.output(b.node("Identity", {b.node("Sigmoid", {hidden}, {}, "kept")}), "y");
  b.output(x, "copy");
  auto graph = b.build();
  remove_dead(graph);
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[1].name, "kept");
  EXPECT_EQ(graph.nodes[1].outputs[0], graph.outputs[0]);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "y");
  EXPECT_EQ(graph.value(graph.outputs[1]).name, "copy");
  EXPECT_NO_THROW(infer_shapes(graph));
}

Graph linear(std::vector<Dim> x, const std::string& op = "Relu") {
  Builder b("linear");
  b.output(b.node(op, {b.input("x", DType::F32, std::move(x))}), "y");
  return b.build();
}

TEST(PeakActivationBytes, CountsWhatIsHeldAtOnce) {
  Builder b("diamond");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {4, ""}});      // 16 bytes a row
  const auto wide = b.node("Concat", {x, x}, {{"axis", std::int64_t{1}}});  // 32
  const auto left = b.node("Relu", {wide});
  const auto right = b.node("Sigmoid", {wide});
  b.output(b.node("Add", {left, right}), "y");
  const auto graph = b.build();
  // While Sigmoid runs: wide, left and right. While Add runs: left, right and y. x is done by then.
  EXPECT_EQ(peak_activation_bytes(graph), 96);
  EXPECT_EQ(peak_activation_bytes(graph, 5), 5 * 96);
}

TEST(PeakActivationBytes, KeepsOutputsAndLeavesOutConstants) {
  Builder b("outputs");
  const auto x = b.input("x", DType::F32, {{4, ""}});
  const auto early = b.node("Relu", {x});
  b.output(early, "early");
  const auto weight = b.node("Neg", {b.constant("c", zeros({4}))});
  const auto sum = b.node("Add", {early, weight});
  b.output(b.node("Neg", {b.node("Neg", {sum})}), "late");
  // early stays to the end; beside it at most two values of the chain.
  EXPECT_EQ(peak_activation_bytes(b.build()), 48);
}

TEST(PeakActivationBytes, SaysWhoseShapeIsUnknown) {
  Builder b("unknown");
  const auto x = b.input("x", DType::F32, {{4, ""}});
  b.output(b.node("Mystery", {x}, {}, "it"), "y");
  const auto graph = b.build();
  EXPECT_THAT(refusal([&] { peak_activation_bytes(graph); }), HasSubstr("node it (Mystery)"));
}

TEST(Signature, DynamicFixedAndNone) {
  const auto dynamic = signature_of(linear({symbol_dim("N"), {3, ""}}));
  EXPECT_EQ(dynamic.batch_symbol, "N");
  EXPECT_EQ(dynamic.inputs[0].batch_axis, 0);
  const auto fixed = signature_of(linear({{4, ""}, {3, ""}}));
  EXPECT_EQ(fixed.batch_size, 4);
  EXPECT_EQ(fixed.outputs[0].batch_axis, 0);
  EXPECT_EQ(fixed.outputs[0].shape[0].size, 4);
  const auto turned = signature_of(linear({{4, ""}, {3, ""}}, "Transpose"));
  EXPECT_EQ(turned.batch_size, -1);
  EXPECT_FALSE(turned.inputs[0].batch_axis);
  EXPECT_THAT(turned.batch_axis_reason, HasSubstr("none"));
  EXPECT_THAT(signature_of(linear({})).batch_axis_reason, HasSubstr("scalar"));
  EXPECT_THAT(signature_of(linear({{-1, ""}})).batch_axis_reason, HasSubstr("no name"));
}

TEST(Signature, AnOutputOfUnknownRankIsUnsupportedNotInvalid) {
  Builder b("open");
  const auto x = b.input("x", DType::F32, {{4, ""}});
  const auto sizes = b.input("sizes", DType::I64, {symbol_dim("rank")});
  b.output(b.node("Reshape", {x, sizes}), "y");
  try {
    signature_of(b.build());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Unsupported) << "legal ONNX: an engine may take it";
  }
}

TEST(Signature, ASymbolOnTwoAxesIsNoBatch) {
  Builder b("gram");
  const auto x = b.input("x", DType::F32, {symbol_dim("N"), {3, ""}});
  b.output(b.node("Gemm", {x, x}, {{"transB", std::int64_t{1}}}), "y");
  const auto signature = signature_of(b.build());
  EXPECT_EQ(signature.batch_symbol, "");
  EXPECT_THAT(signature.batch_axis_reason, HasSubstr("two axes"));
}

}  // namespace
}  // namespace inferometer::graph
