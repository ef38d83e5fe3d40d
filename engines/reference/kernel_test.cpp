// SPDX-License-Identifier: Apache-2.0
// The other operators against values computed by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "number.hpp"
#include "one_op.hpp"

namespace inferometer::reference {
namespace {

TEST(Kernel, Unary) {
  const auto x = tensor<float>({3}, {-1, 0, 4});
  EXPECT_EQ(run("Relu", {x}, {3}), (Floats{0, 0, 4}));
  EXPECT_EQ(run("Neg", {x}, {3}), (Floats{1, -0.0F, -4}));
  EXPECT_EQ(run("Abs", {x}, {3}), (Floats{1, 0, 4}));
  EXPECT_EQ(run("Sigmoid", {x}, {3})[1], 0.5F);
  EXPECT_EQ(run("Sqrt", {x}, {3})[2], 2.0F);
  EXPECT_FLOAT_EQ(run("Exp", {x}, {3})[0], 0.36787944F);
  EXPECT_FLOAT_EQ(run("Tanh", {x}, {3})[0], -0.76159416F);
  EXPECT_FLOAT_EQ(run("Erf", {x}, {3})[0], -0.84270079F);
}

TEST(Kernel, ReluKeepsNan) {
  EXPECT_TRUE(std::isnan(run("Relu", {tensor<float>({1}, {NAN})}, {1})[0]));
}

TEST(Kernel, IntegersKeepTheirOwnArithmetic) {
  const auto big = tensor<std::int64_t>(
      {2}, {std::numeric_limits<std::int64_t>::min(), (std::int64_t{1} << 60) + 1});
  const auto one = tensor<std::int64_t>({1}, {1});
  const auto of = [&](const char* op, const Tensor& b) {
    return values<std::int64_t>(
        OneOp{.op = op, .inputs = {big, b}, .dtype = DType::I64, .shape = {2}}.run());
  };
  EXPECT_EQ(of("Add", one)[1], (std::int64_t{1} << 60) + 2);  // a double would lose the last bit
  EXPECT_EQ(of("Sub", one)[0], std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(of("Div", tensor<std::int64_t>({1}, {-1}))[0],
            std::numeric_limits<std::int64_t>::min());
  EXPECT_THROW(of("Div", tensor<std::int64_t>({1}, {0})), Error);
}

TEST(Kernel, BinaryBroadcastsBothWays) {
  const auto column = tensor<float>({2, 1}, {1, 2}), row = tensor<float>({3}, {10, 20, 30});
  EXPECT_EQ(run("Add", {column, row}, {2, 3}), (Floats{11, 21, 31, 12, 22, 32}));
  EXPECT_EQ(run("Sub", {row, column}, {2, 3}), (Floats{9, 19, 29, 8, 18, 28}));
  EXPECT_EQ(run("Mul", {row, tensor<float>({}, {2})}, {3}), (Floats{20, 40, 60}));
  EXPECT_EQ(run("Div", {tensor<float>({}, {1}), tensor<float>({}, {4})}, {}), (Floats{0.25F}));
  EXPECT_EQ(run("Pow", {row, tensor<float>({1}, {2})}, {3}), (Floats{100, 400, 900}));
  EXPECT_EQ(run("Max", {row, tensor<float>({1}, {15})}, {3}), (Floats{15, 20, 30}));
  EXPECT_EQ(run("Min", {row, tensor<float>({1}, {15})}, {3}), (Floats{10, 15, 15}));
  const auto plane = tensor<float>({2, 1, 2}, {1, 2, 3, 4}),
             lines = tensor<float>({2, 1}, {10, 20});
  EXPECT_EQ(run("Add", {plane, lines}, {2, 2, 2}), (Floats{11, 12, 21, 22, 13, 14, 23, 24}));
}

TEST(Kernel, Clip) {
  const auto x = tensor<float>({3}, {-5, 1, 9});
  EXPECT_EQ(run("Clip", {x, tensor<float>({}, {0}), tensor<float>({}, {6})}, {3}),
            (Floats{0, 1, 6}));
  EXPECT_EQ(run("Clip", {x, Tensor{}, tensor<float>({}, {6})}, {3}), (Floats{-5, 1, 6}));
  EXPECT_EQ(run("Clip", {x}, {3}, {{"min", 0.0F}, {"max", 6.0F}}, 6), (Floats{0, 1, 6}));
}

TEST(Kernel, BatchNormalization) {
  const auto x = tensor<float>({1, 2, 2}, {1, 2, 3, 4});
  const auto scale = tensor<float>({2}, {2, 3}), shift = tensor<float>({2}, {1, 0});
  const auto mean = tensor<float>({2}, {1, 3}), variance = tensor<float>({2}, {4, 1});
  EXPECT_EQ(
      run("BatchNormalization", {x, scale, shift, mean, variance}, {1, 2, 2}, {{"epsilon", 0.0F}}),
      (Floats{1, 2, 0, 3}));
}

TEST(Kernel, SoftmaxAlongAnyAxis) {
  const auto x = tensor<float>({2, 2}, {0, 0, std::log(3.0F), 1000});
  const auto last = run("Softmax", {x}, {2, 2});
  EXPECT_EQ(last[0], 0.5F);
  EXPECT_EQ(last[3], 1.0F);
  const auto first = run("Softmax", {x}, {2, 2}, {{"axis", std::int64_t{0}}});
  EXPECT_FLOAT_EQ(first[0], 0.25F);
  EXPECT_FLOAT_EQ(first[2], 0.75F);
}

TEST(Kernel, OldSoftmaxFlattens) {
  const auto x = tensor<float>({1, 2, 2}, {1, 1, 1, 1});
  EXPECT_EQ(run("Softmax", {x}, {1, 2, 2}, {}, 11), Floats(4, 0.25F));
  EXPECT_EQ(run("Softmax", {x}, {1, 2, 2}, {}, 13), Floats(4, 0.5F));
}

TEST(Kernel, Pools) {
  const auto x = tensor<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Longs kernel{2, 2}, stride{2, 2}, pads{1, 1, 0, 0};
  EXPECT_EQ(run("MaxPool", {x}, {1, 1, 2, 2}, {{"kernel_shape", kernel}}), (Floats{5, 6, 8, 9}));
  EXPECT_EQ(run("MaxPool", {x}, {1, 1, 2, 2},
                {{"kernel_shape", kernel}, {"strides", stride}, {"pads", pads}}),
            (Floats{1, 3, 7, 9}));
  EXPECT_EQ(run("AveragePool", {x}, {1, 1, 2, 2}, {{"kernel_shape", kernel}}),
            (Floats{3, 4, 6, 7}));
  EXPECT_EQ(run("AveragePool", {x}, {1, 1, 2, 2},
                {{"kernel_shape", kernel}, {"strides", stride}, {"pads", pads}}),
            (Floats{1, 2.5F, 5.5F, 7}));
  EXPECT_EQ(run("AveragePool", {x}, {1, 1, 2, 2},
                {{"kernel_shape", kernel},
                 {"strides", stride},
                 {"pads", pads},
                 {"count_include_pad", std::int64_t{1}}}),
            (Floats{0.25F, 1.25F, 2.75F, 7}));
  EXPECT_EQ(run("GlobalAveragePool", {x}, {1, 1, 1, 1}), (Floats{5}));
  EXPECT_EQ(run("GlobalMaxPool", {x}, {1, 1, 1, 1}), (Floats{9}));
}

TEST(Kernel, PoolsTakeTheirFourPadsInOrder) {  // top, left, bottom, right
  const auto x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const std::map<std::string, graph::Attribute> attributes{{"kernel_shape", Longs{1, 2}},
                                                           {"pads", Longs{0, 1, 0, 0}}};
  EXPECT_EQ(run("MaxPool", {x}, {1, 1, 2, 2}, attributes), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(run("AveragePool", {x}, {1, 1, 2, 2}, attributes), (Floats{1, 1.5F, 3, 3.5F}));
}

TEST(Kernel, MaxPoolOfNegativesAndNan) {
  const auto x = tensor<float>({1, 1, 2}, {-3, -2});
  EXPECT_EQ(run("MaxPool", {x}, {1, 1, 1}, {{"kernel_shape", Longs{2}}}), (Floats{-2}));
  const auto nan = tensor<float>({1, 1, 2}, {NAN, 1});
  EXPECT_TRUE(std::isnan(run("GlobalMaxPool", {nan}, {1, 1, 1})[0]));
}

TEST(Kernel, ConcatAndTranspose) {
  const auto a = tensor<float>({2, 1}, {1, 2}), b = tensor<float>({2, 2}, {3, 4, 5, 6});
  EXPECT_EQ(run("Concat", {a, b}, {2, 3}, {{"axis", std::int64_t{-1}}}),
            (Floats{1, 3, 4, 2, 5, 6}));
  const auto x = tensor<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(run("Transpose", {x}, {3, 2, 1}), (Floats{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(run("Transpose", {x}, {2, 1, 3}, {{"perm", Longs{1, 0, 2}}}),
            (Floats{1, 2, 3, 4, 5, 6}));
}

TEST(Kernel, Gather) {
  const auto x = tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(run("Gather", {x, tensor<std::int64_t>({2}, {2, -3})}, {2, 2}), (Floats{5, 6, 1, 2}));
  EXPECT_EQ(run("Gather", {x, tensor<std::int32_t>({}, {1})}, {3}, {{"axis", std::int64_t{1}}}),
            (Floats{2, 4, 6}));
  EXPECT_THROW(run("Gather", {x, tensor<std::int64_t>({1}, {3})}, {1, 2}), Error);
}

TEST(Kernel, CastNeverMeetsTheUndefined) {
  const auto x = tensor<float>({5}, {1.9F, -1.9F, NAN, 1e20F, -1e20F});
  const auto to = [&](DType dtype) {
    return OneOp{.op = "Cast", .inputs = {x}, .dtype = dtype, .shape = {5}}.run();
  };
  EXPECT_EQ(values<std::int32_t>(to(DType::I32)),
            (std::vector<std::int32_t>{1, -1, 0, std::numeric_limits<std::int32_t>::max(),
                                       std::numeric_limits<std::int32_t>::min()}));
  EXPECT_EQ(values<std::uint64_t>(to(DType::U64))[3], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(values<bool>(to(DType::Bool)), (std::vector<bool>{true, true, true, true, true}));
}

TEST(Kernel, MovesEveryDtype) {
  for (const DType dtype :
       {DType::F32, DType::F64, DType::F16, DType::BF16, DType::I8, DType::I16, DType::I32,
        DType::I64, DType::U8, DType::U16, DType::U32, DType::U64, DType::Bool}) {
    Tensor x(dtype, {2, 2});
    std::memset(x.data(), 1, x.view().size_bytes());
    const Tensor y = OneOp{.op = "Reshape", .inputs = {x}, .dtype = dtype, .shape = {4}}.run();
    EXPECT_EQ(std::memcmp(x.data(), y.data(), x.view().size_bytes()), 0) << to_string(dtype);
  }
}

TEST(Small, RoundsOnceToNearestEven) {
  EXPECT_EQ(Half(1.0).bits, 0x3C00);
  EXPECT_EQ(Half(65504.0).bits, 0x7BFF);
  EXPECT_EQ(Half(65520.0).bits, 0x7C00);
  EXPECT_EQ(Half(-1e9).bits, 0xFC00);
  EXPECT_EQ(Half(std::ldexp(1.0, -24)).bits, 0x0001);
  EXPECT_EQ(Half(std::ldexp(1.0, -25)).bits, 0x0000);
  EXPECT_EQ(Half(1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40)).bits,
            0x3C01);  // twice rounded: 0x3C00
  EXPECT_EQ(BFloat(1.0).bits, 0x3F80);
  EXPECT_EQ(BFloat(3.5e38).bits, 0x7F80);
  EXPECT_TRUE(std::isnan(static_cast<double>(Half(NAN))));
}

TEST(Small, EveryBitPatternSurvives) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    Half half;
    half.bits = static_cast<std::uint16_t>(bits);
    BFloat bfloat;
    bfloat.bits = static_cast<std::uint16_t>(bits);
    const double h = static_cast<double>(half), b = static_cast<double>(bfloat);
    EXPECT_TRUE(std::isnan(h) || Half(h).bits == bits) << bits;
    EXPECT_TRUE(std::isnan(b) || BFloat(b).bits == bits) << bits;
  }
}

TEST(Pool, RunsEachIndexOnceAndPassesErrorsOn) {
  Pool pool(4);
  std::vector<std::atomic<int>> seen(1000);
  for (int round = 0; round < 50; ++round)
    pool.run(1000, [&](std::int64_t i, std::size_t) { ++seen[static_cast<std::size_t>(i)]; });
  for (const auto& count : seen) ASSERT_EQ(count, 50);
  EXPECT_THROW(pool.run(8, [](std::int64_t, std::size_t) { throw Error(Status::Invalid, "x"); }),
               Error);
  pool.run(8, [](std::int64_t, std::size_t) {});
}

}  // namespace
}  // namespace inferometer::reference
