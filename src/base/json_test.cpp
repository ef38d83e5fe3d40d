// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inferometer/error.hpp"

namespace inferometer {
namespace {

std::string refusal_of(const std::string& text) {
  try {
    parse_json(text, "test");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
  return "accepted";
}

std::string nested(int depth, const std::string& inner) {
  std::string text = inner;
  for (int i = 0; i < depth; ++i) text = "[" + text + "]";
  return text;
}

std::string object_of(int keys) {
  std::string text = "{";
  for (int i = 0; i < keys; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  return text + "}";
}

TEST(ParseJson, IsBounded) {
  EXPECT_EQ(refusal_of(nested(64, "0")), "accepted");
  EXPECT_EQ(refusal_of(nested(65, "[]")), "test: nested deeper than 64");
  EXPECT_EQ(refusal_of(nested(63, object_of(4096))), "accepted");
  EXPECT_EQ(refusal_of(nested(3, object_of(4097))), "test: an object with more than 4096 keys");
  // Every object counts for itself.
  EXPECT_EQ(refusal_of("[" + object_of(4000) + "," + object_of(4000) + "]"), "accepted");
  EXPECT_EQ(refusal_of("{\"a\":" + object_of(4000) + ",\"b\":" + object_of(4000) + "}"),
            "accepted");
  EXPECT_THAT(refusal_of("{\"a\":"), testing::HasSubstr("test: not JSON"));
}

}  // namespace
}  // namespace inferometer
