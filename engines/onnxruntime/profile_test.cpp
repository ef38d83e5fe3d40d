// SPDX-License-Identifier: Apache-2.0
#include "profile.hpp"

#include <gtest/gtest.h>

namespace inferometer::onnxruntime {
namespace {

constexpr std::string_view kTrace = R"([
  {"cat":"Session","name":"model_run","dur":900,"args":{}},
  {"cat":"Node","name":"conv_fence_before","dur":5,"args":{"op_name":"Conv"}},
  {"cat":"Node","name":"conv_kernel_time","dur":100,
   "args":{"op_name":"Conv","output_type_shape":[{"float":[1,8]}]}},
  {"cat":"Node","name":"pick_kernel_time","dur":7,
   "args":{"op_name":"Gather","output_type_shape":[{"int64":[1]}]}},
  {"cat":"Node","name":"conv_kernel_time","dur":110,"args":{"op_name":"Conv"}},
  {"cat":"Node","name":"pick_kernel_time","dur":8,"args":{"op_name":"Gather"}}
])";

TEST(Profile, IsTheMedianOverTheRunsOfEachNode) {
  const auto rows = rows_of_trace(kTrace);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].node, "conv");
  EXPECT_EQ(rows[0].kernel, "Conv");
  EXPECT_EQ(rows[0].precision, "fp32");
  EXPECT_EQ(rows[0].ns, 105'000);
  EXPECT_EQ(rows[1].precision, "int64");
  EXPECT_EQ(rows[1].ns, 7'500);
}

TEST(Profile, LeavesTheFirstSlowRunsOut) {
  std::string trace = "[";
  for (int run = 0; run < 12; ++run)
    trace += std::string(run ? "," : "") + R"({"cat":"Node","name":"c_kernel_time","dur":)" +
             (run < 2 ? "9000" : "40") + R"(,"args":{"op_name":"Conv"}})";
  EXPECT_EQ(rows_of_trace(trace + "]").at(0).ns, 40'000);
}

TEST(Profile, IgnoresWhatIsNoKernelAndRefusesWhatIsNoTrace) {
  EXPECT_TRUE(
      rows_of_trace(R"([1, {"cat":"Node"}, {"cat":"Node","name":"x_kernel_time"}])").empty());
  EXPECT_THROW(rows_of_trace("[{"), Error);
}

}  // namespace
}  // namespace inferometer::onnxruntime
