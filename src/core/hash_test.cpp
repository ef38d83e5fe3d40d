// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.hpp"
#include "graph/builder.hpp"
#include "graph/onnx.hpp"

namespace inferometer::core {
namespace {

namespace fs = std::filesystem;

class ModelHashTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_ =
      fs::temp_directory_path() / ("inferometer_hash_test_" + std::to_string(::getpid()));
};

TEST_F(ModelHashTest, TheWeightsOfOpenVinosIrBelongToIt) {
  write_text_atomic(root_ / "m.xml", "<net/>");
  write_text_atomic(root_ / "m.bin", "old");
  const std::string before = model_hash(root_ / "m.xml").hex;
  write_text_atomic(root_ / "m.bin", "newer");
  EXPECT_NE(model_hash(root_ / "m.xml").hex, before);
}

TEST_F(ModelHashTest, TheTimeOfHashingIsKnownAndAMemoryCostsNone) {
  write_text_atomic(root_ / "m.xml", std::string(1 << 20, 'x'));
  const auto start = hashing_time();
  const auto hash = file_hash(root_ / "m.xml");
  EXPECT_GT(hashing_time(), start);
  Hasher whole;
  whole.feed(std::as_bytes(std::span(std::string_view(read_text(root_ / "m.xml")))));
  EXPECT_EQ(hash, whole.hex());
  EXPECT_THROW(file_hash(root_), Error);
}

TEST_F(ModelHashTest, WhatAnotherProcessHashedIsNotReadAgain) {
  write_text_atomic(root_ / "m.xml", "<net/>");
  const auto file = identity_of(root_ / "m.xml");
  const Json told = {{file.device, file.inode, file.size, file.modified_ns, "told"}};
  remember_hashes(told);
  EXPECT_EQ(file_hash(root_ / "m.xml"), "told");
  const auto all = remembered_hashes();
  EXPECT_NE(std::ranges::find(all, told[0]), all.end());
  EXPECT_THROW(remember_hashes(Json{{1, 2, "x"}}), Error);
}

TEST_F(ModelHashTest, OnnxThatWeDoNotReadIsHashedAsAFileWithTheReason) {
  graph::Builder b("old", 5);
  const auto repeats = b.constant("repeats", {1}, std::vector<std::int64_t>{2});
  b.output(b.node("Tile", {b.input("x", DType::F32, {{1, ""}}), repeats}), "y");
  write_onnx(b.build(), root_ / "m.onnx");
  const ModelHash hash = model_hash(root_ / "m.onnx");
  EXPECT_EQ(hash.hex.size(), 32u);
  EXPECT_NE(hash.left_out.find("opset 5"), std::string::npos) << hash.left_out;
}

}  // namespace
}  // namespace inferometer::core
