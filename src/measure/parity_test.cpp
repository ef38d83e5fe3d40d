// SPDX-License-Identifier: Apache-2.0
#include "measure/parity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "base/file.hpp"
#include "inferometer/error.hpp"
#include "measure/elements.hpp"
#include "measure/fake_tree.hpp"
#include "measure/golden.hpp"
#include "measure/outcome.hpp"
#include "measure/pool.hpp"

namespace inferometer::measure {
namespace {

using ::testing::HasSubstr;

Port port(DType dtype, const std::vector<std::int64_t>& sizes, std::optional<int> batch_axis) {
  Port made{.name = "x", .dtype = dtype, .shape = {}, .batch_axis = batch_axis};
  for (const auto size : sizes) made.shape.push_back({size, size < 0 ? "n" : ""});
  return made;
}

Tensor floats(std::vector<float> values, Shape shape) {
  Tensor tensor(DType::F32, shape);
  std::ranges::copy(values, tensor.as<float>().begin());
  return tensor;
}

TEST(Elements, HalfPrecisionIsReadWhole) {
  EXPECT_EQ(from_f16(0x3c00), 1);
  EXPECT_EQ(from_f16(0xc000), -2);
  EXPECT_EQ(from_f16(0x0001), 0x1p-24);
  EXPECT_EQ(from_f16(0x7bff), 65504);
  EXPECT_TRUE(std::isinf(from_f16(0xfc00)));
  EXPECT_TRUE(std::isnan(from_f16(0x7e00)));
  for (int i = -1024; i <= 1024; ++i)
    EXPECT_EQ(from_f16(exact_f16(static_cast<float>(i) / 1024)), i / 1024.0);
}

TEST(Pool, EveryDTypeHasDistinctRowsInRange) {
  for (const auto dtype :
       {DType::F32, DType::F64, DType::F16, DType::BF16, DType::I8, DType::I16, DType::I32,
        DType::I64, DType::U8, DType::U16, DType::U32, DType::U64, DType::Bool}) {
    const std::vector<Port> ports = {port(dtype, {-1, 8, 5}, 0)};
    const auto pool = pool_inputs(ports, kPoolRows, 1)[0];
    EXPECT_EQ(pool.shape(), (Shape{37, 8, 5}));
    const auto read = element_reader(dtype);
    std::set<std::vector<double>> rows;
    for (std::size_t row = 0; row < 37; ++row) {
      std::vector<double> values;
      for (std::size_t i = 0; i < 40; ++i) values.push_back(read(pool.data(), row * 40 + i));
      for (const double value : values) {
        EXPECT_GE(value, is_floating(dtype) ? -1 : 0);
        EXPECT_LT(value, dtype == DType::Bool ? 2 : is_floating(dtype) ? 1 : 8);
      }
      rows.insert(values);
    }
    EXPECT_EQ(rows.size(), 37u) << to_string(dtype);
  }
}

TEST(Pool, ARowDependsOnSeedPortAndRowAlone) {
  const std::vector<Port> ports = {port(DType::F32, {-1, 3}, 0), port(DType::F32, {3, -1}, 1),
                                   port(DType::F32, {2, -1}, {})};
  const auto few = pool_inputs(ports, 4, 9), many = pool_inputs(ports, 37, 9);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(few[0].as<float>()[i], many[0].as<float>()[i]);
  const auto column = take_rows(many[1], 1, 2, 1);
  EXPECT_EQ(column.shape(), (Shape{3, 1}));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(column.as<float>()[i], few[1].as<float>()[i * 4 + 2]);
  EXPECT_NE(few[0].as<float>()[0], few[1].as<float>()[0]);
  EXPECT_NE(few[0].as<float>()[0], pool_inputs(ports, 4, 10)[0].as<float>()[0]);
  EXPECT_EQ(few[2].shape(), (Shape{2, 1}));
}

TEST(Pool, BatchRowIIsPoolRowIModulo37) {
  const std::vector<Port> ports = {port(DType::I32, {2, -1, 3}, 1)};
  const auto pool = pool_inputs(ports, kPoolRows, 3)[0];
  const auto batch = repeat_rows(pool, 1, 80);
  EXPECT_EQ(batch.shape(), (Shape{2, 80, 3}));
  for (std::int64_t row : {0, 36, 37, 79}) {
    const auto got = take_rows(batch, 1, row, 1), want = take_rows(pool, 1, row % 37, 1);
    EXPECT_EQ(std::memcmp(got.data(), want.data(), got.view().size_bytes()), 0) << row;
  }
  EXPECT_THROW(take_rows(pool, 1, 36, 2), Error);
  EXPECT_THROW(take_rows(pool, 3, 0, 1), Error);
}

TEST(Parity, KnownErrors) {
  const auto golden = floats({3, 4, 0, 0}, {2, 2});
  const auto same = compare_outputs(golden, golden, 0);
  EXPECT_EQ(same.rel_l2, 0);
  EXPECT_EQ(same.cosine, 1);
  EXPECT_TRUE(passes(same, gate_of("fp32")));
  const auto figures = compare_outputs(golden, floats({3, 4, 0.5F, 0}, {2, 2}), 0);
  EXPECT_DOUBLE_EQ(figures.rel_l2, 0.1);
  EXPECT_DOUBLE_EQ(figures.max_abs_ratio, 0.125);
  EXPECT_DOUBLE_EQ(figures.least_tolerance, 0.125);
  EXPECT_NEAR(figures.cosine, 5 / std::sqrt(25.25), 1e-12);
  EXPECT_FALSE(passes(figures, 0.0999));
  EXPECT_TRUE(passes(figures, 0.1001));
  const auto json = to_json(figures);
  for (const auto& [key, value] : json.items()) EXPECT_EQ(field(key).key, key);
}

TEST(Parity, PrecisionsMayDifferShapesMayNot) {
  Tensor half(DType::F16, {2});
  half.as<std::uint16_t>()[0] = 0x3c00;
  half.as<std::uint16_t>()[1] = 0xc000;
  EXPECT_EQ(compare_outputs(floats({1, -2}, {2}), half, 0).rel_l2, 0);
  for (const auto& other : {floats({1, -2}, {1, 2}), Tensor(DType::I32, {2})}) {
    try {
      compare_outputs(half, other, 0);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Mismatch);
      EXPECT_THAT(error.what(), HasSubstr("f16 [2]"));
    }
  }
}

TEST(Parity, NaNAndInfNeverPass) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const auto golden = floats({1, 2, 3, 4}, {4});
  const auto figures = compare_outputs(golden, floats({1, nan, inf, 4}, {4}), 0);
  EXPECT_EQ(figures.nan, 1);
  EXPECT_EQ(figures.inf, 1);
  EXPECT_FALSE(passes(figures, 1e9));
  EXPECT_TRUE(to_json(figures)["parity_rel_l2"].is_null());
  const auto far = compare_outputs(golden, floats({9, 9, 9, 9}, {4}), 0);
  EXPECT_TRUE(is_worse(figures, far));
  EXPECT_FALSE(is_worse(far, figures));
  const auto odd = floats({nan, inf, 1, 1}, {4});
  EXPECT_TRUE(passes(compare_outputs(odd, odd, 0), 0));
  EXPECT_EQ(compare_outputs(odd, floats({nan, 5, 1, 1}, {4}), 0).wrong, 1);
}

TEST(Parity, AnAllZeroGoldenIsNotAgreedWithByAccident) {
  const auto zero = floats({0, 0}, {2});
  EXPECT_TRUE(passes(compare_outputs(zero, zero, 0), 0));
  const auto figures = compare_outputs(zero, floats({0, 1e-30F}, {2}), 0);
  EXPECT_FALSE(passes(figures, 0.1));
  EXPECT_TRUE(to_json(figures).contains("parity_rel_l2_why"));
}

TEST(Parity, IntegersAreComparedExactly) {
  Tensor golden(DType::I64, {2}), y(DType::I64, {2});
  golden.as<std::int64_t>()[0] = y.as<std::int64_t>()[0] = 1;
  golden.as<std::int64_t>()[1] = (std::int64_t{1} << 60) + 1;
  y.as<std::int64_t>()[1] = std::int64_t{1} << 60;  // equal as doubles
  const auto figures = compare_outputs(golden, y, 0);
  EXPECT_EQ(figures.wrong, 1);
  EXPECT_FALSE(passes(figures, 1));
  EXPECT_TRUE(passes(compare_outputs(golden, golden, 0), 0));
}

TEST(Parity, TopOneCountsRowsWithAWideMargin) {
  const auto golden = floats({0, 1, 0, 0, 0, 1, 1, 0, 0, 0.5F, 0.5F, 0}, {4, 3});
  const auto perfect = compare_outputs(golden, golden, 0);
  EXPECT_EQ(perfect.top1_rows, 3);  // the last row is a tie
  EXPECT_DOUBLE_EQ(perfect.top1_agreement.value(), 1);
  const auto stale =
      compare_outputs(golden, floats({0, 1, 0, 0, 1, 0, 1, 0, 0, 0.5F, 0.5F, 0}, {4, 3}), 0);
  EXPECT_EQ(stale.top1_rows, 3);
  EXPECT_NEAR(stale.top1_agreement.value(), 2.0 / 3, 1e-12);
  // Rows along the last axis: columns of the same numbers.
  const auto columns =
      compare_outputs(floats({0, 1, 1, 0}, {2, 2}), floats({0, 1, 1, 0}, {2, 2}), 1);
  EXPECT_EQ(columns.top1_rows, 2);
}

TEST(Parity, SoftmaxIsComparedInLogP) {
  // The small classes are wrong by a factor of e: rel L2 of p hardly sees it.
  const auto golden = floats({0.999F, 1e-6F, 2e-6F, 4e-6F}, {1, 4});
  const auto y = floats({0.999F, 2.718e-6F, 2e-6F, 4e-6F}, {1, 4});
  EXPECT_TRUE(passes(compare_outputs(golden, y, 0), 1e-4));
  const auto figures = compare_outputs(golden, y, 0, Softmax{1, 2});
  EXPECT_GT(figures.log_p_rel_l2.value(), 0.05);
  EXPECT_FALSE(passes(figures, 1e-4));
  const auto p = floats({0.5F, 0.25F, 1e-40F}, {1, 3});
  const auto flushed = compare_outputs(p, floats({0.5F, 0.25F, 0.0F}, {1, 3}), 0, Softmax{1, 2});
  EXPECT_LT(gated_error(flushed), 0.01);
  const auto scaled = compare_outputs(p, floats({0.4F, 0.2F, 1e-40F}, {1, 3}), 0, Softmax{1, 2});
  EXPECT_GT(gated_error(scaled), 1e-3);
}

TEST(Parity, ASoftmaxRunsOverItsAxes) {
  // Two rows of two classes at two places each; the classes of a place are 2 elements apart.
  const auto golden = floats({0.9F, 0.2F, 0.1F, 0.8F, 0.6F, 0.5F, 0.4F, 0.5F}, {2, 2, 1, 2});
  const auto y = floats({0.8F, 0.2F, 0.2F, 0.8F, 0.6F, 0.5F, 0.4F, 0.5F}, {2, 2, 1, 2});
  const auto over_channels = compare_outputs(golden, y, 0, Softmax{1, 2});
  // Of log p about its mean: sqrt(2) times half the log odds of each place.
  const double size = std::sqrt(
      (std::pow(std::log(9.0), 2) + std::pow(std::log(4.0), 2) + std::pow(std::log(1.5), 2)) / 2);
  const double error = std::hypot(std::log(0.8 / 0.9), std::log(2.0));
  EXPECT_NEAR(over_channels.log_p_rel_l2.value(), error / size, 1e-5);
  // Until opset 13 all axes from the softmax's own on were one distribution.
  EXPECT_NE(compare_outputs(golden, y, 0, Softmax{1, 4}).log_p_rel_l2.value(),
            over_channels.log_p_rel_l2.value());
}

TEST(Parity, ASoftmaxOverOneClassIsAnyOutput) {
  const auto figures =
      compare_outputs(floats({1, 2}, {2, 1}), floats({1, 3}, {2, 1}), 0, Softmax{1, 2});
  EXPECT_FALSE(figures.log_p_rel_l2);
  EXPECT_FALSE(passes(figures, 1e-4));
}

TEST(Parity, Gates) {
  EXPECT_EQ(gate_of("fp32"), 1e-4);
  EXPECT_EQ(gate_of("bf16"), 3e-2);
  EXPECT_THROW(gate_of("f32"), Error);
}

GoldenFile example_golden() {
  Tensor integers(DType::I64, {2});
  integers.as<std::int64_t>()[0] = -5;
  integers.as<std::int64_t>()[1] = 5;
  return {
      {"0123abcd", "reference 0.1.0", "dim.seq=8", 7}, 37, {floats({1, 2, 3}, {3, 1}), integers}};
}

TEST(Golden, SurvivesAFile) {
  const FakeTree folder;
  const auto golden = example_golden();
  const auto path = folder.root() / golden_name(golden.key);
  write_golden(path, golden);
  const auto back = read_golden(path);
  EXPECT_EQ(back.key, golden.key);
  EXPECT_EQ(back.rows, 37);
  ASSERT_EQ(back.outputs.size(), 2u);
  EXPECT_EQ(back.outputs[0].as<float>()[2], 3);
  EXPECT_EQ(back.outputs[1].as<std::int64_t>()[0], -5);
  auto other = golden.key;
  other.seed = 8;
  EXPECT_NE(golden_name(other), golden_name(golden.key));
}

TEST(Golden, DamagedFilesAreRefusedByName) {
  const FakeTree folder;
  const auto path = folder.root() / "golden.bin";
  write_golden(path, example_golden());
  const auto whole = read_text(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    folder.write("golden.bin", whole.substr(0, size));
    EXPECT_THROW(read_golden(path), Error) << size;
  }
  folder.write("golden.bin", whole + "x");
  EXPECT_THROW(read_golden(path), Error);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto text = whole;
    text[at] = '9';
    folder.write("golden.bin", text);
    try {
      read_golden(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
    }
  }
}

}  // namespace
}  // namespace inferometer::measure
