// SPDX-License-Identifier: Apache-2.0
#include "refusals.hpp"

#include <gtest/gtest.h>

namespace inferometer::openvino {
namespace {

TEST(Refusals, AReportNamesOperators) {
  const auto found = refusals_of(
      "Model wasn't fully converted.; -- Resize-19 with a message:; this mode is not supported; "
      "Summary:; -- No conversion rule found for operations: Det-22, com.example.Odd-1; -- "
      "Conversion is failed for: Resize-19");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].op, "Det");
  EXPECT_EQ(found[1].op, "com.example.Odd");
  EXPECT_EQ(found[2].op, "Resize");
  EXPECT_NE(found[2].reason.find("this mode is not supported"), std::string::npos);
}

TEST(Refusals, AnotherMessageIsTheReason) {
  const auto found = refusals_of("no rank");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].op, "");
  EXPECT_EQ(found[0].reason, "no rank");
}

}  // namespace
}  // namespace inferometer::openvino
