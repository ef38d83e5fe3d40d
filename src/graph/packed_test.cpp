// SPDX-License-Identifier: Apache-2.0
#include "graph/packed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "graph/text.hpp"

namespace inferometer::graph {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PackedTest : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove(path_); }

  /// Counts how often bytes are made.
  PackedTensor tensor(std::string name, DType dtype, std::vector<std::int64_t> shape) {
    return {std::move(name), dtype, std::move(shape), [this](std::span<std::byte> bytes) {
              ++made_;
              for (std::size_t i = 0; i < bytes.size(); ++i)
                bytes[i] = static_cast<std::byte>(i + static_cast<std::size_t>(made_));
            }};
  }
  std::vector<PackedTensor> three() {
    return {tensor("odd", DType::I8, {3}), tensor("empty", DType::F32, {0, 4}),
            tensor("weights", DType::F32, {2, 5})};
  }

  const fs::path path_ =
      fs::temp_directory_path() / ("inferometer_packed_" + std::to_string(::getpid()));
  int made_ = 0;
};

void expect_three(const std::vector<Constant>& constants) {
  ASSERT_EQ(constants.size(), 3u);
  EXPECT_EQ(as_integers(constants[0]), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(constants[1].bytes.size(), 0u);
  EXPECT_EQ(constants[2].bytes.size(), 40u);
  EXPECT_EQ(constants[2].bytes[39], static_cast<std::byte>(41));
  for (const auto& constant : constants)
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(constant.bytes.data()) % kPackedAlignment, 0u);
}

TEST_F(PackedTest, AFileGivesAlignedWindowsAndMakesNothingAgain) {
  const auto tensors = three();
  write_packed(path_, tensors);
  const int made = made_;
  auto constants = map_packed(path_, tensors);
  EXPECT_EQ(made_, made);
  fs::remove(path_);  // the mapping stays
  expect_three(constants);
}

TEST_F(PackedTest, MemoryGivesTheSame) {
  expect_three(pack_in_memory(three()));
}

TEST_F(PackedTest, AnotherFileIsRefused) {
  const auto refused = [&](const std::vector<PackedTensor>& tensors) {
    try {
      map_packed(path_, tensors);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto tensors = three();
  write_packed(path_, tensors);
  EXPECT_EQ(refused(tensors), "");
  auto other = tensors;
  other[2].shape = {5, 2};
  EXPECT_THAT(refused(other), HasSubstr("doesn't hold the packed weights"));
  other = tensors;
  other[2].dtype = DType::I32;
  EXPECT_THAT(refused(other), HasSubstr("doesn't hold the packed weights"));
  auto longer = tensors;
  longer.push_back(tensor("more", DType::I8, {1}));
  EXPECT_THAT(refused(longer), HasSubstr("doesn't hold the packed weights"));
  for (auto left = fs::file_size(path_); left > 0; --left) {
    fs::resize_file(path_, left - 1);
    EXPECT_NE(refused(tensors), "") << left - 1;
  }
}

TEST_F(PackedTest, AnEmptyTensorMayBeTheLast) {
  const std::vector<PackedTensor> tensors = {tensor("w", DType::F32, {3}),
                                             tensor("empty", DType::F32, {0})};
  write_packed(path_, tensors);
  EXPECT_EQ(map_packed(path_, tensors).size(), 2u);
}

TEST_F(PackedTest, ShapesThatOverflowAreRefused) {
  const std::vector<PackedTensor> huge = {tensor("huge", DType::F64, {1LL << 40, 1LL << 40})};
  EXPECT_THROW(write_packed(path_, huge), Error);
  EXPECT_EQ(made_, 0);
}

}  // namespace
}  // namespace inferometer::graph
