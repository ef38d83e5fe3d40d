// SPDX-License-Identifier: Apache-2.0
#include "rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace inferometer::null {
namespace {

template <class T>
Rows rows(std::vector<T>& values, std::int64_t count) {
  return {.data = reinterpret_cast<std::byte*>(values.data()),
          .dtype = dtype_of<T>(),
          .rows = count,
          .row_elements = static_cast<std::int64_t>(values.size()) / count};
}

TEST(Rows, SameDtypeCopiesEachRowAndStartsAgain) {
  std::vector<float> in{1, 2, 3, 4}, out(6);
  fill_rows(rows(in, 2), rows(out, 2));
  EXPECT_EQ(out, (std::vector<float>{1, 2, 1, 3, 4, 3}));
}

TEST(Rows, OtherDtypeDependsOnItsOwnRowOnly) {
  std::vector<std::uint8_t> in{5, 6, 7, 200};
  std::vector<float> out(2);
  fill_rows(rows(in, 2), rows(out, 2));
  EXPECT_EQ(out, (std::vector<float>{5, 7}));
}

TEST(Rows, UnsplitInputServesEveryRow) {
  std::vector<std::int64_t> in{8}, out(3);
  fill_rows(rows(in, 1), rows(out, 3));
  EXPECT_EQ(out, (std::vector<std::int64_t>{8, 8, 8}));
}

TEST(Rows, EmptyRowsAreLeftAlone) {
  std::vector<float> in, out{7};
  fill_rows({.data = nullptr, .dtype = DType::F32, .rows = 1, .row_elements = 0}, rows(out, 1));
  EXPECT_EQ(out[0], 7);
}

TEST(Rows, Damages) {
  std::vector<float> out{1, 2, 3, 4};
  swap_first_rows(rows(out, 2));
  EXPECT_EQ(out, (std::vector<float>{3, 4, 1, 2}));
  make_wrong(rows(out, 2));
  EXPECT_EQ(out[3], 99);
  make_nan(rows(out, 2));
  EXPECT_TRUE(std::isnan(out[0]));
}

}  // namespace
}  // namespace inferometer::null
