// SPDX-License-Identifier: Apache-2.0
// Conv, Gemm and MatMul: against a plain sum, and bit for bit between threads and instruction sets.
#include <gtest/gtest.h>

#include <random>

#include "number.hpp"
#include "one_op.hpp"

namespace inferometer::reference {
namespace {

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> found(count);
  for (auto& value : found) value = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
  return found;
}

Tensor noise(Shape shape, unsigned seed) {
  return tensor<float>(shape, random_values(static_cast<std::size_t>(shape.elements()), seed));
}

struct Pads {  // in ONNX's order
  std::int64_t top, left, bottom, right;
};

constexpr Pads all(std::int64_t pad) {
  return {pad, pad, pad, pad};
}

struct ConvCase {
  std::int64_t images, channels, size, filters, kernel, stride;
  Pads pads;
  std::int64_t dilation, group;
};

std::int64_t out_size(const ConvCase& c, std::int64_t before, std::int64_t after) {
  return (c.size + before + after - c.dilation * (c.kernel - 1) - 1) / c.stride + 1;
}
std::int64_t out_height(const ConvCase& c) {
  return out_size(c, c.pads.top, c.pads.bottom);
}
std::int64_t out_width(const ConvCase& c) {
  return out_size(c, c.pads.left, c.pads.right);
}

OneOp conv_op(const ConvCase& c) {
  return {.op = "Conv",
          .inputs = {noise({c.images, c.channels, c.size, c.size}, 1),
                     noise({c.filters, c.channels / c.group, c.kernel, c.kernel}, 2),
                     noise(Shape{c.filters}, 3)},
          .shape = {c.images, c.filters, out_height(c), out_width(c)},
          .attributes = {{"strides", std::vector<std::int64_t>{c.stride, c.stride}},
                         {"pads", std::vector<std::int64_t>{c.pads.top, c.pads.left, c.pads.bottom,
                                                            c.pads.right}},
                         {"dilations", std::vector<std::int64_t>{c.dilation, c.dilation}},
                         {"group", c.group}}};
}

// The definition, written as plainly as can be.
float conv_at(const ConvCase& c, const OneOp& op, std::int64_t n, std::int64_t f, std::int64_t y,
              std::int64_t x) {
  const auto in = op.inputs[0].as<float>(), weights = op.inputs[1].as<float>();
  const std::int64_t per_group = c.channels / c.group, group = f / (c.filters / c.group);
  double sum = 0;
  for (std::int64_t i = 0; i < per_group; ++i)
    for (std::int64_t ky = 0; ky < c.kernel; ++ky)
      for (std::int64_t kx = 0; kx < c.kernel; ++kx) {
        const std::int64_t iy = y * c.stride - c.pads.top + ky * c.dilation,
                           ix = x * c.stride - c.pads.left + kx * c.dilation;
        if (iy < 0 || iy >= c.size || ix < 0 || ix >= c.size) continue;
        const auto at = ((n * c.channels + group * per_group + i) * c.size + iy) * c.size + ix;
        const auto weight = ((f * per_group + i) * c.kernel + ky) * c.kernel + kx;
        sum += static_cast<double>(in[static_cast<std::size_t>(at)]) *
               static_cast<double>(weights[static_cast<std::size_t>(weight)]);
      }
  return static_cast<float>(
      sum + static_cast<double>(op.inputs[2].as<float>()[static_cast<std::size_t>(f)]));
}

class ConvCases : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvCases, IsTheDefinitionBitForBit) {
  const ConvCase c = GetParam();
  const OneOp op = conv_op(c);
  const auto got = values<float>(op.run(3));
  std::size_t at = 0;
  for (std::int64_t n = 0; n < c.images; ++n)
    for (std::int64_t f = 0; f < c.filters; ++f)
      for (std::int64_t y = 0; y < out_height(c); ++y)
        for (std::int64_t x = 0; x < out_width(c); ++x, ++at)
          ASSERT_EQ(got[at], conv_at(c, op, n, f, y, x)) << n << "," << f << "," << y << "," << x;
}

TEST_P(ConvCases, ThreadsAndInstructionSetsChangeNoBit) {
  const OneOp op = conv_op(GetParam());
  const auto expected = values<float>(op.run(1, multipliers().front()));
  for (const auto& multiplier : multipliers())
    for (const std::size_t threads : {1, 2, 5})
      EXPECT_EQ(values<float>(op.run(threads, multiplier)), expected)
          << multiplier.name << " " << threads;
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvCases,
                         testing::Values(ConvCase{1, 3, 9, 8, 3, 1, all(1), 1, 1},
                                         ConvCase{2, 5, 11, 13, 1, 1, all(0), 1, 1},
                                         ConvCase{2, 3, 15, 21, 7, 2, all(3), 1, 1},
                                         ConvCase{1, 6, 12, 6, 3, 1, all(1), 1, 6},
                                         ConvCase{3, 8, 10, 16, 3, 2, all(1), 1, 2},
                                         ConvCase{1, 4, 13, 9, 3, 1, all(2), 2, 1},
                                         ConvCase{1, 70, 6, 40, 3, 1, all(1), 1, 1},
                                         ConvCase{1, 4, 9, 8, 5, 3, all(2), 1, 4},
                                         ConvCase{1, 3, 7, 4, 1, 1, {1, 0, 2, 3}, 1, 1},
                                         ConvCase{2, 3, 8, 4, 3, 2, {0, 2, 1, 0}, 1, 1},
                                         ConvCase{1, 4, 6, 4, 3, 1, {2, 0, 0, 1}, 1, 4}));

TEST(Conv, OneSpatialAxisAndNoBias) {
  const OneOp op{
      .op = "Conv",
      .inputs = {tensor<float>({1, 1, 4}, {1, 2, 3, 4}), tensor<float>({1, 1, 2}, {10, 1})},
      .shape = {1, 1, 3}};
  EXPECT_EQ(values<float>(op.run()), (std::vector<float>{12, 23, 34}));
}

TEST(Conv, SamePadsTheRestOnItsSide) {
  OneOp op{.op = "Conv",
           .inputs = {tensor<float>({1, 1, 3}, {1, 2, 3}), tensor<float>({1, 1, 2}, {10, 1})},
           .shape = {1, 1, 3},
           .attributes = {{"auto_pad", std::string("SAME_UPPER")}}};
  EXPECT_EQ(values<float>(op.run()), (std::vector<float>{12, 23, 30}));
  op.attributes["auto_pad"] = std::string("SAME_LOWER");
  EXPECT_EQ(values<float>(op.run()), (std::vector<float>{1, 12, 23}));
}

TEST(Conv, DoublesGiveTheSameBitsWhateverIsChosen) {
  std::mt19937 random(7);
  std::vector<double> in(300), weights(3600);
  for (auto& v : in) v = static_cast<double>(random()) / 3e9;
  for (auto& v : weights) v = static_cast<double>(random()) / 7e9 - 0.3;
  const OneOp op{
      .op = "Conv",
      .inputs = {tensor<double>({1, 300, 1, 1}, in), tensor<double>({12, 300, 1, 1}, weights)},
      .dtype = DType::F64,
      .shape = {1, 12, 1, 1}};
  const auto expected = values<double>(op.run(1, multipliers().front()));
  EXPECT_EQ(values<double>(op.run(2, multipliers().back())), expected);
  double sum = 0;
  for (std::size_t k = 0; k < 300; ++k) {
    volatile double product = in[k] * weights[k];  // no fused multiply-add here either
    sum += product;
  }
  EXPECT_EQ(expected[0], sum);
}

TEST(Gemm, TransposesScalesAndAdds) {
  // A = [[1,2],[3,4]], B = [[5,6],[7,8]]
  const auto a = tensor<float>({2, 2}, {1, 2, 3, 4}), b = tensor<float>({2, 2}, {5, 6, 7, 8});
  const OneOp plain{.op = "Gemm", .inputs = {a, b}, .shape = {2, 2}};
  EXPECT_EQ(values<float>(plain.run()), (std::vector<float>{19, 22, 43, 50}));
  const OneOp trans_a{
      .op = "Gemm", .inputs = {a, b}, .shape = {2, 2}, .attributes = {{"transA", std::int64_t{1}}}};
  EXPECT_EQ(values<float>(trans_a.run()), (std::vector<float>{26, 30, 38, 44}));
  const OneOp trans_b{
      .op = "Gemm",
      .inputs = {a, b, tensor<float>({2}, {1, 2})},
      .shape = {2, 2},
      .attributes = {{"transB", std::int64_t{1}}, {"alpha", 2.0F}, {"beta", 10.0F}}};
  EXPECT_EQ(values<float>(trans_b.run()), (std::vector<float>{44, 66, 88, 126}));
}

TEST(Gemm, AddsABiasOfEveryBroadcastShape) {
  const auto a = tensor<float>({2, 1}, {1, 2}), b = tensor<float>({1, 2}, {10, 20});
  const auto with = [&](const Tensor& c) {
    return values<float>(OneOp{.op = "Gemm", .inputs = {a, b, c}, .shape = {2, 2}}.run());
  };
  EXPECT_EQ(with(tensor<float>({}, {1})), (std::vector<float>{11, 21, 21, 41}));
  EXPECT_EQ(with(tensor<float>({2, 1}, {1, 2})), (std::vector<float>{11, 21, 22, 42}));
  EXPECT_EQ(with(tensor<float>({1, 2}, {1, 2})), (std::vector<float>{11, 22, 21, 42}));
  EXPECT_EQ(with(tensor<float>({2, 2}, {1, 2, 3, 4})), (std::vector<float>{11, 22, 23, 44}));
}

TEST(Gemm, ARowDoesNotDependOnItsNeighbours) {
  const std::int64_t depth = 700, width = 50;
  const auto weights = noise({width, depth}, 5);
  const auto rows = noise({37, depth}, 6);
  const std::map<std::string, graph::Attribute> trans{{"transB", std::int64_t{1}}};
  const auto all = values<float>(
      OneOp{.op = "Gemm", .inputs = {rows, weights}, .shape = {37, width}, .attributes = trans}.run(
          2));
  for (std::int64_t r = 0; r < 37; ++r) {
    const Tensor row(View(rows.as<float>().data() + r * depth, {1, depth}), nullptr);
    const auto one = values<float>(
        OneOp{.op = "Gemm", .inputs = {row, weights}, .shape = {1, width}, .attributes = trans}
            .run());
    ASSERT_TRUE(std::equal(one.begin(), one.end(), all.begin() + r * width)) << r;
  }
}

TEST(MatMul, BroadcastsItsBatch) {
  const auto a = tensor<float>({2, 1, 2}, {1, 2, 3, 4});
  const auto b = tensor<float>({2, 1}, {10, 1});
  EXPECT_EQ(values<float>(OneOp{.op = "MatMul", .inputs = {a, b}, .shape = {2, 1, 1}}.run()),
            (std::vector<float>{12, 34}));
  const auto many = tensor<float>({3, 2, 1}, {1, 0, 0, 1, 1, 1});
  const OneOp op{
      .op = "MatMul", .inputs = {tensor<float>({1, 2}, {5, 7}), many}, .shape = {3, 1, 1}};
  EXPECT_EQ(values<float>(op.run()), (std::vector<float>{5, 7, 12}));
}

TEST(MatMul, TakesVectors) {
  const auto v = tensor<float>({2}, {1, 2}), m = tensor<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(OneOp{.op = "MatMul", .inputs = {v, v}, .shape = {}}.run()),
            (std::vector<float>{5}));
  EXPECT_EQ(values<float>(OneOp{.op = "MatMul", .inputs = {v, m}, .shape = {2}}.run()),
            (std::vector<float>{7, 10}));
  EXPECT_EQ(values<float>(OneOp{.op = "MatMul", .inputs = {m, v}, .shape = {2}}.run()),
            (std::vector<float>{5, 11}));
}

TEST(MatMul, HalvesRoundOnce) {
  Tensor a(DType::F16, {1, 2}), b(DType::F16, {2, 1});
  const auto put = [](Tensor& t, std::size_t i, double v) {
    static_cast<Half*>(t.data())[i] = Half(v);
  };
  put(a, 0, 2048), put(a, 1, 1), put(b, 0, 1),
      put(b, 1, 1);  // 2049 lies between 2048 and 2050: even
  const auto out =
      OneOp{.op = "MatMul", .inputs = {a, b}, .dtype = DType::F16, .shape = {1, 1}}.run();
  EXPECT_EQ(static_cast<double>(*static_cast<Half*>(out.data())), 2048);
}

TEST(Products, IntegersAreRefused) {
  const auto a = tensor<std::int32_t>({1, 1}, {1});
  const OneOp op{.op = "Gemm", .inputs = {a, a}, .dtype = DType::I32, .shape = {1, 1}};
  EXPECT_THROW(op.run(), Error);
}

}  // namespace
}  // namespace inferometer::reference
