// SPDX-License-Identifier: Apache-2.0
#include "inferometer/error.hpp"

#include <gtest/gtest.h>

namespace inferometer {
namespace {

TEST(Status, EveryWordReadsBack) {
  for (int i = 0; i <= static_cast<int>(Status::Skipped); ++i) {
    const auto status = static_cast<Status>(i);
    EXPECT_EQ(parse_status(to_string(status)), status);
  }
}

TEST(Status, AnotherWordIsInvalidAndNamed) {
  try {
    parse_status("fine");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    EXPECT_NE(std::string(error.what()).find("fine"), std::string::npos);
  }
}

}  // namespace
}  // namespace inferometer
