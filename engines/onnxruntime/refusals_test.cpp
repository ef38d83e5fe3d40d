// SPDX-License-Identifier: Apache-2.0
#include "refusals.hpp"

#include <gtest/gtest.h>

namespace inferometer::onnxruntime {
namespace {

TEST(Refusals, AMessageTellsNodeAndOperator) {
  const auto kernel =
      refusal_of("Could not find an implementation for Max(13) node with name 'largest'");
  EXPECT_EQ(kernel.node, "largest");
  EXPECT_EQ(kernel.op, "Max");
  const auto schema = refusal_of(
      "Load model from m.onnx failed:Fatal error: com.example:Odd(-1) is not a registered "
      "function/op");
  EXPECT_EQ(schema.node, "");
  EXPECT_EQ(schema.op, "com.example:Odd");
  const auto other = refusal_of("something else");
  EXPECT_EQ(other.op, "");
  EXPECT_EQ(other.reason, "something else");
}

}  // namespace
}  // namespace inferometer::onnxruntime
