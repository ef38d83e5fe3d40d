// SPDX-License-Identifier: Apache-2.0
#include "inferometer/tensor.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "inferometer/error.hpp"

namespace inferometer {
namespace {

TEST(DTypeWords, ReadBack) {
  for (int i = 0; i <= static_cast<int>(DType::Bool); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(parse_dtype(to_string(dtype)), dtype);
  }
  EXPECT_THROW(parse_dtype("float"), Error);
}

TEST(Shape, ElementsOfScalarEmptyAndOrdinary) {
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ((Shape{3, 0, 2}.elements()), 0);
  EXPECT_EQ((Shape{3, 5, 2}.elements()), 30);
}

TEST(Shape, OverflowAndNegativeAreInvalid) {
  const auto huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW((Shape{huge, 2}.elements()), Error);
  EXPECT_THROW((Shape{-1}.elements()), Error);
  EXPECT_THROW(Tensor(DType::F64, Shape{huge / 4}), Error);
  double number = 0;
  EXPECT_THROW(View(&number, Shape{huge / 4 + 1}).size_bytes(), Error) << "2^61 * 8 bytes is no 0";
}

TEST(Shape, NineAxesAreInvalid) {
  EXPECT_THROW((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), Error);
}

TEST(Shape, AsText) {
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(to_string(Shape{1, 3, 224}), "[1,3,224]");
}

TEST(Tensor, IsAlignedAndSharedByCopies) {
  const Tensor tensor(DType::F32, {3, 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0u);
  EXPECT_EQ(tensor.view().size_bytes(), 60u);
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the copy is what is tested
  const Tensor copy = tensor;
  EXPECT_EQ(copy.data(), tensor.data());
}

TEST(View, TakesItsDTypeFromThePointer) {
  const std::int64_t values[2] = {1, 2};
  const View view(values, {2});
  EXPECT_EQ(view.dtype, DType::I64);
  EXPECT_EQ(view.as<std::int64_t>()[1], 2);
}

}  // namespace
}  // namespace inferometer
