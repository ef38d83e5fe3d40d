// SPDX-License-Identifier: Apache-2.0
#include "measure/fill.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "inferometer/error.hpp"
#include "measure/elements.hpp"
#include "measure/pool.hpp"

namespace inferometer::measure {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Port port_of(DType dtype, std::int64_t elements) {
  return {"x", dtype, {{elements, ""}}, std::nullopt};
}

std::vector<double> drawn(DType dtype, const Fill& fill, std::int64_t elements) {
  const std::vector<Port> ports{port_of(dtype, elements)};
  const std::vector<Fill> fills{fill};
  const auto tensor = std::move(pool_inputs(ports, 1, 1, fills)[0]);
  std::vector<double> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(elements); ++i)
    values.push_back(element_reader(dtype)(tensor.data(), i));
  return values;
}

TEST(Fill, TextsGoThereAndBack) {
  for (const auto* text : {":usual", ":normal", ":int:0..30521", ":int:-3..-3",
                           ":int:-9223372036854775808..9223372036854775807"}) {
    const auto fill = parse_fill(text);
    ASSERT_TRUE(fill) << text;
    EXPECT_EQ(to_string(*fill), text);
  }
  for (const auto* text :
       {"", ":", ":norm", "normal", ":int", ":int:", ":int:1", ":int:1..", ":int:2..1",
        ":int:0..1.5", ":int:0..9223372036854775808", ":int: 0..1", ":int:0...1"})
    EXPECT_FALSE(parse_fill(text)) << text;
}

TEST(Fill, NormalHasItsMoments) {
  for (const auto dtype : {DType::F32, DType::F64, DType::F16, DType::BF16}) {
    const auto values = drawn(dtype, {Fill::Kind::Normal}, 100'000);
    double sum = 0, squares = 0, fourths = 0;
    for (const double x : values) {
      ASSERT_LT(std::abs(x), 7);
      sum += x;
      squares += x * x;
      fourths += x * x * x * x;
    }
    const auto n = static_cast<double>(values.size());
    // Standard errors: 0.003 of the mean, 0.0045 of the variance, 0.03 of the fourth moment, which
    // is 2.9 for a sum of twelve.
    EXPECT_NEAR(sum / n, 0, 0.015) << to_string(dtype);
    EXPECT_NEAR(squares / n, 1, 0.025) << to_string(dtype);
    EXPECT_NEAR(fourths / n, 2.9, 0.2) << to_string(dtype);
  }
}

TEST(Fill, IntegersReachBothEndsAndNothingElse) {
  for (const auto dtype : {DType::I8, DType::I64, DType::F32, DType::F16, DType::BF16}) {
    const auto values = drawn(dtype, {Fill::Kind::Integers, -2, 3}, 1000);
    EXPECT_EQ(std::set(values.begin(), values.end()), (std::set<double>{-2, -1, 0, 1, 2, 3}));
  }
  const auto wide = drawn(DType::I64, {Fill::Kind::Integers, kLeast, kMost}, 64);
  EXPECT_EQ(std::set(wide.begin(), wide.end()).size(), 64u);
}

TEST(Fill, RefusesWhatADtypeCannotHold) {
  const Fill normal{Fill::Kind::Normal};
  EXPECT_NO_THROW(check_fill(port_of(DType::BF16, 1), normal));
  EXPECT_THROW(check_fill(port_of(DType::I64, 1), normal), Error);
  EXPECT_THROW(check_fill(port_of(DType::Bool, 1), {Fill::Kind::Integers, 0, 2}), Error);
  EXPECT_THROW(check_fill(port_of(DType::U8, 1), {Fill::Kind::Integers, -1, 2}), Error);
  EXPECT_THROW(check_fill(port_of(DType::F16, 1), {Fill::Kind::Integers, 0, 2049}), Error);
  EXPECT_THROW(check_fill(port_of(DType::F32, 1), {Fill::Kind::Integers, 0, (1 << 24) + 1}), Error);
  EXPECT_NO_THROW(check_fill(port_of(DType::U64, 1), {Fill::Kind::Integers, 0, kMost}));
  EXPECT_THROW(check_fill(port_of(DType::U64, 1), {Fill::Kind::Integers, -1, kMost}), Error);
}

}  // namespace
}  // namespace inferometer::measure
