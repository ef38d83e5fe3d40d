// SPDX-License-Identifier: Apache-2.0
// The operators beyond the four networks' against values computed by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "one_op.hpp"

namespace inferometer::reference {
namespace {

using Bools = std::vector<bool>;

Tensor floats(const Floats& list) {
  return tensor<float>({static_cast<std::int64_t>(list.size())}, list);
}
Tensor longs(const Longs& list) {
  return tensor<std::int64_t>({static_cast<std::int64_t>(list.size())}, list);
}
Tensor bools(const Bools& list) {
  return tensor<bool>({static_cast<std::int64_t>(list.size())}, list);
}

TEST(Operators, UnaryWithParameters) {
  const auto x = floats({-2, 0.5F, 4});
  EXPECT_EQ(run("HardSigmoid", {x}, {3}, {{"alpha", 0.25F}}), (Floats{0, 0.625F, 1}));
  EXPECT_EQ(run("LeakyRelu", {x}, {3}, {{"alpha", 0.5F}}), (Floats{-1, 0.5F, 4}));
  EXPECT_EQ(run("ThresholdedRelu", {x}, {3}), (Floats{0, 0, 4}));
  EXPECT_FLOAT_EQ(run("Elu", {x}, {3})[0], -0.86466472F);
  EXPECT_FLOAT_EQ(run("Gelu", {x}, {3})[0], -0.04550026F);
  EXPECT_FLOAT_EQ(run("Gelu", {x}, {3}, {{"approximate", std::string("tanh")}})[0], -0.04540231F);
  EXPECT_FLOAT_EQ(run("Softplus", {floats({1000})}, {1})[0], 1000);
  EXPECT_EQ(run("Round", {floats({0.5F, 1.5F, -2.5F})}, {3}), (Floats{0, 2, -2}));
  EXPECT_EQ(run("Sign", {x}, {3}), (Floats{-1, 1, 1}));
}

TEST(Operators, ManyOperandsRoundOnce) {
  const auto a = floats({1, 2}), b = floats({10}), c = floats({100, 200});
  EXPECT_EQ(run("Sum", {a, b, c}, {2}), (Floats{111, 212}));
  EXPECT_EQ(run("Mean", {a, b, c}, {2}), (Floats{37, 212.0F / 3}));
  EXPECT_EQ(run("Max", {a, b, c}, {2}), (Floats{100, 200}));
  EXPECT_EQ(run("Min", {a}, {2}), (Floats{1, 2}));
}

TEST(Operators, ModHasTheSignThatIsAskedFor) {
  const auto a = longs({-7, 7, -8}), b = longs({3, -3, -1});
  EXPECT_EQ(run_as<std::int64_t>("Mod", {a, b}, {3}), (Longs{2, -2, 0}));
  EXPECT_EQ(run_as<std::int64_t>("Mod", {a, b}, {3}, {{"fmod", std::int64_t{1}}}),
            (Longs{-1, 1, 0}));
  EXPECT_EQ(run("Mod", {floats({-7.5F}), floats({2})}, {1}, {{"fmod", std::int64_t{1}}}),
            (Floats{-1.5F}));
  EXPECT_THROW(run_as<std::int64_t>("Mod", {a, longs({0})}, {3}), Error);
}

TEST(Operators, PowersOfMixedTypes) {
  EXPECT_EQ(run_as<std::int64_t>("Pow", {longs({3, -2, 2}), longs({39, 3, -1})}, {3}),
            (Longs{4052555153018976267, -8, 0}));
  EXPECT_EQ(run("Pow", {floats({2, 9}), longs({3, 2})}, {2}), (Floats{8, 81}));
  EXPECT_EQ(run_as<std::int64_t>("Pow", {longs({16}), floats({0.5F})}, {1}), (Longs{4}));
}

TEST(Operators, ComparisonsAndChoice) {
  const auto a = floats({1, 2, NAN}), b = floats({2});
  EXPECT_EQ(run_as<bool>("Less", {a, b}, {3}), (Bools{true, false, false}));
  EXPECT_EQ(run_as<bool>("GreaterOrEqual", {a, b}, {3}), (Bools{false, true, false}));
  EXPECT_EQ(run_as<bool>("Xor", {bools({true, false}), bools({true})}, {2}), (Bools{false, true}));
  EXPECT_EQ(run_as<bool>("Not", {bools({true, false})}, {2}), (Bools{false, true}));
  const auto choice = tensor<bool>({2, 1}, {true, false});
  EXPECT_EQ(run("Where", {choice, floats({1, 2}), floats({9})}, {2, 2}), (Floats{1, 2, 9, 9}));
  EXPECT_EQ(run("PRelu", {floats({-2, 3}), floats({0.25F})}, {2}), (Floats{-0.5F, 3}));
}

TEST(Operators, Reductions) {
  const auto x = tensor<float>({2, 3}, {1, -2, 3, 4, 5, -6});
  const Attributes rows{{"axes", Longs{1}}, {"keepdims", std::int64_t{0}}};
  EXPECT_EQ(run("ReduceSum", {x}, {2}, rows, 11), (Floats{2, 3}));
  EXPECT_EQ(run("ReduceSum", {x, longs({0})}, {1, 3}), (Floats{5, 3, -3}));
  EXPECT_EQ(run("ReduceL1", {x}, {2}, rows), (Floats{6, 15}));
  EXPECT_EQ(run("ReduceL2", {tensor<float>({2}, {3, 4})}, {1}), (Floats{5}));
  EXPECT_EQ(run("ReduceProd", {x}, {2}, rows), (Floats{-6, -120}));
  EXPECT_EQ(run("ReduceMin", {x}, {2}, rows), (Floats{-2, -6}));
  EXPECT_EQ(run("ReduceSumSquare", {x}, {2}, rows), (Floats{14, 77}));
  EXPECT_FLOAT_EQ(run("ReduceLogSumExp", {floats({1000, 1000})}, {1})[0], 1000.6931F);
  EXPECT_EQ(run("ReduceMax", {tensor<float>({0}, {})}, {1})[0], -HUGE_VALF);
  EXPECT_EQ(run_as<std::int64_t>("ReduceMean", {longs({1, 2, 6})}, {1}), (Longs{3}));
  EXPECT_EQ(run_as<bool>("ReduceMax", {bools({false, true})}, {1}), (Bools{true}));
}

TEST(Operators, ArgMaxOfEquals) {
  const auto x = tensor<float>({2, 3}, {1, 5, 5, 7, 7, 2});
  const Attributes last{{"axis", std::int64_t{1}}, {"select_last_index", std::int64_t{1}}};
  EXPECT_EQ(run_as<std::int64_t>("ArgMax", {x}, {2, 1}, {{"axis", std::int64_t{1}}}),
            (Longs{1, 0}));
  EXPECT_EQ(run_as<std::int64_t>("ArgMax", {x}, {2, 1}, last), (Longs{2, 1}));
  EXPECT_EQ(run_as<std::int64_t>("ArgMin", {x}, {1, 3}), (Longs{0, 0, 1}));
}

TEST(Operators, SoftmaxFamily) {
  const auto x = tensor<float>({1, 2}, {0, std::log(3.0F)});
  EXPECT_FLOAT_EQ(run("LogSoftmax", {x}, {1, 2})[1], std::log(0.75F));
  EXPECT_EQ(run("Hardmax", {tensor<float>({1, 3}, {1, 4, 4})}, {1, 3}), (Floats{0, 1, 0}));
}

TEST(Operators, CutsPadsAndRepeats) {
  const auto x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(run("Slice", {x, longs({-1}), longs({-100}), longs({1}), longs({-2})}, {2, 2}),
            (Floats{3, 1, 6, 4}));
  EXPECT_EQ(run("Tile", {x, longs({1, 2})}, {2, 6}), (Floats{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  EXPECT_EQ(run("Expand", {floats({1, 2}), longs({2, 1})}, {2, 2}), (Floats{1, 2, 1, 2}));
  const auto line = floats({1, 2, 3});
  const auto padded = [&](const char* mode) {
    return run("Pad", {line, longs({2, 2})}, {7}, {{"mode", std::string(mode)}}, 19);
  };
  EXPECT_EQ(padded("constant"), (Floats{0, 0, 1, 2, 3, 0, 0}));
  EXPECT_EQ(padded("edge"), (Floats{1, 1, 1, 2, 3, 3, 3}));
  EXPECT_EQ(padded("reflect"), (Floats{3, 2, 1, 2, 3, 2, 1}));
  EXPECT_EQ(padded("wrap"), (Floats{2, 3, 1, 2, 3, 1, 2}));
  EXPECT_EQ(run("Pad", {line, longs({1, -1}), tensor<float>({}, {9})}, {3}), (Floats{9, 1, 2}));
}

TEST(Operators, Makers) {
  EXPECT_EQ(run_as<std::int64_t>("Range", {longs({5}), longs({0}), longs({-2})}, {3}),
            (Longs{5, 3, 1}));
  EXPECT_EQ(run("ConstantOfShape", {longs({2})}, {2}), (Floats{0, 0}));
  const auto square = tensor<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(run("Trilu", {square}, {2, 2}), (Floats{1, 2, 0, 4}));
  EXPECT_EQ(
      run("Trilu", {square, tensor<std::int64_t>({}, {-1})}, {2, 2}, {{"upper", std::int64_t{0}}}),
      (Floats{0, 0, 3, 0}));
  EXPECT_EQ(run("CumSum", {floats({1, 2, 3}), tensor<std::int64_t>({}, {0})}, {3},
                {{"exclusive", std::int64_t{1}}, {"reverse", std::int64_t{1}}}),
            (Floats{5, 3, 0}));
}

TEST(Operators, GatherElementsAndNd) {
  const auto x = tensor<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(run("GatherElements", {x, tensor<std::int64_t>({2, 1}, {-1, 0})}, {2, 1},
                {{"axis", std::int64_t{1}}}),
            (Floats{2, 3}));
  EXPECT_EQ(run("GatherND", {x, tensor<std::int64_t>({2, 2}, {0, 0, 1, 1})}, {2}), (Floats{1, 4}));
  EXPECT_EQ(run("GatherND", {x, tensor<std::int64_t>({2, 1}, {1, 0})}, {2},
                {{"batch_dims", std::int64_t{1}}}),
            (Floats{2, 3}));
  EXPECT_THROW(run("GatherND", {x, tensor<std::int64_t>({1, 1}, {2})}, {1, 2}), Error);
}

TEST(Operators, Scatters) {
  const auto x = tensor<float>({2, 2}, {1, 2, 3, 4});
  const auto column = tensor<std::int64_t>({2, 1}, {-1, 0});
  const auto updates = tensor<float>({2, 1}, {10, 20});
  Attributes along{{"axis", std::int64_t{1}}};
  EXPECT_EQ(run("ScatterElements", {x, column, updates}, {2, 2}, along), (Floats{1, 10, 20, 4}));
  along["reduction"] = std::string("add");
  EXPECT_EQ(run("ScatterElements", {x, column, updates}, {2, 2}, along), (Floats{1, 12, 23, 4}));
  const auto row = tensor<std::int64_t>({1, 1}, {1});
  EXPECT_EQ(run("ScatterND", {x, row, tensor<float>({1, 2}, {7, 8})}, {2, 2}),
            (Floats{1, 2, 7, 8}));
  EXPECT_EQ(run("ScatterND", {x, row, tensor<float>({1, 2}, {0, 8})}, {2, 2},
                {{"reduction", std::string("max")}}),
            (Floats{1, 2, 3, 8}));
  EXPECT_THROW(run("ScatterND",
                   {x, tensor<std::int64_t>({1, 1}, {2}), tensor<float>({1, 2}, {7, 8})}, {2, 2}),
               Error);
}

TEST(Operators, TopKAndFriends) {
  const auto x = tensor<float>({1, 4}, {3, 9, NAN, 9});
  EXPECT_EQ(run("TopK", {tensor<float>({2, 2}, {1, 2, 4, 3}), longs({1})}, {1, 2},
                {{"axis", std::int64_t{0}}}),
            (Floats{4, 3}));
  EXPECT_EQ(run("TopK", {x, longs({2})}, {1, 2}, {{"largest", std::int64_t{0}}}), (Floats{3, 9}));
  EXPECT_EQ(
      run("OneHot", {longs({1, -1, 5}), tensor<std::int64_t>({}, {3}), floats({0, 2})}, {3, 3}),
      (Floats{0, 2, 0, 0, 0, 2, 0, 0, 0}));
  EXPECT_EQ(run_as<std::int64_t>("NonZero", {tensor<float>({2, 2}, {0, 1, 2, 0})}, {2, 2}),
            (Longs{0, 1, 1, 0}));
  EXPECT_EQ(run("Shrink", {floats({-2, 0.25F, 2})}, {3}, {{"bias", 1.0F}}), (Floats{-1, 0, 1}));
}

TEST(Operators, DepthAndSpace) {
  const auto deep = tensor<float>({1, 4, 1, 1}, {1, 2, 3, 4});
  const Attributes block{{"blocksize", std::int64_t{2}}};
  EXPECT_EQ(run("DepthToSpace", {deep}, {1, 1, 2, 2}, block), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(run("SpaceToDepth", {tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4})}, {1, 4, 1, 1}, block),
            (Floats{1, 2, 3, 4}));
}

TEST(Operators, Normalisations) {
  const auto x = tensor<float>({1, 2, 2}, {1, 3, 10, 30});
  const Attributes exact{{"epsilon", 0.0F}};
  const auto two = floats({2, 1}), bias = floats({0, 5});
  EXPECT_EQ(run("InstanceNormalization", {x, two, bias}, {1, 2, 2}, exact), (Floats{-2, 2, 4, 6}));
  EXPECT_EQ(run("LayerNormalization", {x, two, bias}, {1, 2, 2}, exact), (Floats{-2, 6, -2, 6}));
  EXPECT_EQ(run("GroupNormalization", {tensor<float>({1, 2, 1}, {1, 3}), two, bias}, {1, 2, 1},
                {{"epsilon", 0.0F}, {"num_groups", std::int64_t{1}}}, 21),
            (Floats{-2, 6}));
  // 3 / (1 + 2 / 2 * (1 + 9))
  const auto lrn = run("LRN", {tensor<float>({1, 2, 1}, {1, 3})}, {1, 2, 1},
                       {{"size", std::int64_t{2}}, {"alpha", 2.0F}, {"beta", 1.0F}});
  EXPECT_FLOAT_EQ(lrn[0], 1.0F / 11);
  EXPECT_FLOAT_EQ(lrn[1], 3.0F / 10);
}

TEST(Operators, MaxPoolTellsPlaces) {
  graph::Graph graph;
  const auto x = tensor<float>({1, 1, 2, 2}, {1, 9, 3, 4});
  const auto value = [&](DType dtype, const std::vector<Dim>& dims) {
    graph.values.push_back({.name = "v", .dtype = dtype, .shape = dims, .constant = {}});
    return static_cast<graph::ValueId>(graph.values.size() - 1);
  };
  const std::vector<Dim> one(4, Dim{1, ""});
  const graph::Node node{
      .name = "node",
      .op = "MaxPool",
      .domain = {},
      .inputs = {value(DType::F32, {{1, ""}, {1, ""}, {2, ""}, {2, ""}})},
      .outputs = {value(DType::F32, one), value(DType::I64, one)},
      .attributes = {{"kernel_shape", Longs{2, 2}}, {"storage_order", std::int64_t{1}}}};
  const Tensor most(DType::F32, {1, 1, 1, 1}), place(DType::I64, {1, 1, 1, 1});
  const std::vector<View> in{x.view()}, out{most.view(), place.view()};
  Pool pool(1);
  kernels().at("MaxPool")(Site(graph, node))(
      {.in = in, .out = out, .pool = pool, .multiplier = multipliers().back()});
  EXPECT_EQ(values<float>(most), (Floats{9}));
  EXPECT_EQ(values<std::int64_t>(place), (Longs{2}));  // columns first
}

TEST(Operators, ConvTransposeSpreads) {
  const auto x = tensor<float>({1, 1, 2}, {1, 10}), weight = tensor<float>({1, 1, 3}, {1, 2, 3});
  EXPECT_EQ(run("ConvTranspose", {x, weight}, {1, 1, 4}), (Floats{1, 12, 23, 30}));
  EXPECT_EQ(run("ConvTranspose", {x, weight, floats({100})}, {1, 1, 5}, {{"strides", Longs{2}}}),
            (Floats{101, 102, 113, 120, 130}));
  EXPECT_EQ(
      run("ConvTranspose", {x, weight}, {1, 1, 3}, {{"strides", Longs{2}}, {"pads", Longs{1, 1}}}),
      (Floats{2, 13, 20}));
}

TEST(Operators, ResizeModes) {
  const auto x = floats({0, 4, 8});
  const auto resized = [&](const Attributes& attributes, const Tensor& scales, std::int64_t size) {
    return run("Resize", {x, Tensor{}, scales}, {size}, attributes);
  };
  const auto twice = floats({2});
  EXPECT_EQ(resized({}, twice, 6), (Floats{0, 0, 4, 4, 8, 8}));
  EXPECT_EQ(resized({{"mode", std::string("linear")}}, twice, 6), (Floats{0, 1, 3, 5, 7, 8}));
  EXPECT_EQ(resized({{"mode", std::string("linear")},
                     {"coordinate_transformation_mode", std::string("asymmetric")}},
                    twice, 6),
            (Floats{0, 2, 4, 6, 8, 8}));
  EXPECT_EQ(resized({{"mode", std::string("linear")},
                     {"coordinate_transformation_mode", std::string("align_corners")}},
                    floats({1.7F}), 5),
            (Floats{0, 2, 4, 6, 8}));
  // Taps at -1/8, 7/8, 7/8 - 1 ... around the middle; symmetric, so the middle stays.
  const auto cubic = resized({{"mode", std::string("cubic")}}, twice, 6);
  EXPECT_FLOAT_EQ(cubic[2] + cubic[3], 8);
  EXPECT_EQ(run("Upsample", {x, twice}, {6}, {}, 9), (Floats{0, 0, 4, 4, 8, 8}));
}

// One unit, weights 0: gates are sigmoid(0) = 1/2, the fresh cell tanh(bias).
TEST(Operators, LstmByHand) {
  const auto x = tensor<float>({2, 1, 1}, {0, 0});
  const auto w = tensor<float>({1, 4, 1}, {0, 0, 0, 0});
  const float fresh = 0.5F, bias = std::atanh(fresh);
  const auto b = tensor<float>({1, 8}, {0, 0, 0, bias, 0, 0, 0, 0});
  const auto y = run("LSTM", {x, w, w, b}, {2, 1, 1, 1});
  EXPECT_FLOAT_EQ(y[0], 0.5F * std::tanh(0.25F));
  EXPECT_FLOAT_EQ(y[1], 0.5F * std::tanh(0.375F));
  const auto start = tensor<float>({1, 1, 1}, {1});
  const auto one = tensor<std::int32_t>({1}, {1});
  const auto z = run("LSTM", {x, w, w, b, one, Tensor{}, start}, {2, 1, 1, 1});
  EXPECT_FLOAT_EQ(z[0], 0.5F * std::tanh(0.75F));
  EXPECT_EQ(z[1], 0);  // beyond its length
}

TEST(Operators, LstmRunsBack) {
  const auto x = tensor<float>({2, 1, 1}, {1, 0});
  const auto w = tensor<float>({1, 4, 1}, {0, 0, 0, 1}), r = tensor<float>({1, 4, 1}, {0, 0, 0, 0});
  const Attributes back{{"direction", std::string("reverse")}};
  const auto y = run("LSTM", {x, w, r}, {2, 1, 1, 1}, back);
  EXPECT_EQ(y[1], 0);
  EXPECT_FLOAT_EQ(y[0], 0.5F * std::tanh(0.5F * std::tanh(1.0F)));
}

TEST(Operators, GruAndRnnByHand) {
  const auto x = tensor<float>({1, 1, 1}, {2}), start = tensor<float>({1, 1, 1}, {0.5F});
  const auto zero = tensor<float>({1, 3, 1}, {0, 0, 0}), w = tensor<float>({1, 3, 1}, {0, 0, 1});
  const auto y = run("GRU", {x, w, zero, Tensor{}, Tensor{}, start}, {1, 1, 1, 1});
  EXPECT_FLOAT_EQ(y[0], 0.5F * std::tanh(2.0F) + 0.25F);
  const auto one = tensor<float>({1, 1, 1}, {1});
  EXPECT_FLOAT_EQ(run("RNN", {x, one, one, Tensor{}, Tensor{}, start}, {1, 1, 1, 1})[0],
                  std::tanh(2.5F));
}

}  // namespace
}  // namespace inferometer::reference
