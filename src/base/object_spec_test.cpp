// SPDX-License-Identifier: Apache-2.0
#include "base/object_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inferometer/error.hpp"

namespace inferometer {
namespace {

using testing::HasSubstr;

void check_even(const Json& value) {
  if (!value.is_number_integer() || value.get<int>() % 2 != 0)
    throw Error(Status::Invalid, "is odd");
}

constexpr KeySpec kInnerKeys[] = {{"share", types::or_null(types::number(0, 1)), "A share."}};
constexpr ObjectSpec kInner{"inner", "Within it.", kInnerKeys};
constexpr KeySpec kKeys[] = {
    {"line", types::word("outer"), "Its kind."},
    {"name", types::text(5), "What it is called."},
    {"count", types::integer(-2, 7), "How many."},
    {"good", types::boolean(), "Whether."},
    {"free", types::object(), "Anything."},
    {"even", types::other("even", check_even), "A number that two divides."},
    {"sizes", types::list_of(types::integer(0, 9), 3), "Some."},
    {"inner", types::list_of(types::object_of(kInner), 2), "More."},
};
constexpr ObjectSpec kOuter{"outer", "For this test.", kKeys};

Json example() {
  return parse_json(
      R"({"line": "outer", "name": "abcde", "count": -2, "good": true, "free": {"x": 1},
                        "even": 4, "sizes": [0, 9], "inner": [{"share": 0.5}, {"share": null}]})",
      "test");
}

std::string refusal_of(const Json& json) {
  try {
    check_object(json, kOuter);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
  return "accepted";
}

std::string refusal_with(const std::string& key, Json value) {
  auto json = example();
  json[key] = std::move(value);
  return refusal_of(json);
}

TEST(ObjectSpec, TakesWhatItSays) {
  EXPECT_EQ(refusal_of(example()), "accepted");
  EXPECT_EQ(refusal_with("inner", Json::array()), "accepted");
  EXPECT_EQ(refusal_with("count", 7u), "accepted");
}

TEST(ObjectSpec, RefusesEveryOtherValueAndSaysWhatIsExpected) {
  const std::pair<const char*, Json> wrong[] = {
      {"line", "inner"},
      {"line", 1},
      {"name", "abcdef"},
      {"name", nullptr},
      {"count", 8},
      {"count", -3},
      {"count", 1.5},
      {"count", UINT64_MAX},
      {"count", "1"},
      {"good", 1},
      {"free", Json::array()},
      {"sizes", 1},
      {"sizes", Json{1, 2, 3, 4}},
      {"sizes", Json{1, -1}},
      {"inner", Json::object()},
      {"inner", Json{1}},
  };
  for (const auto& [key, value] : wrong)
    EXPECT_THAT(refusal_with(key, value), HasSubstr("key '" + std::string(key) + "': expected "))
        << value;
  EXPECT_EQ(refusal_with("sizes", 1), "key 'sizes': expected a list of at most 3: an integer 0..9");
  EXPECT_EQ(refusal_with("even", 3), "is odd");
  EXPECT_THAT(refusal_with("inner", Json::array({{{"share", 2}}})), HasSubstr("'share'"));
  EXPECT_THAT(refusal_with("inner", Json::array({{{"share", "x"}}})), HasSubstr("'share'"));
}

TEST(ObjectSpec, EveryKeyIsNeededAndNoOtherAllowed) {
  for (const auto& key : kKeys) {
    auto json = example();
    json.erase(std::string(key.name));
    EXPECT_EQ(refusal_of(json), "key '" + std::string(key.name) + "': expected to be present");
  }
  EXPECT_THAT(refusal_with("surprise", 1), HasSubstr("'surprise'"));
  EXPECT_THAT(refusal_of(Json::array()), HasSubstr("an object"));
  EXPECT_THAT(refusal_with("inner", Json::array({Json::object()})), HasSubstr("'share'"));
}

TEST(ObjectSpec, DescribesItself) {
  const auto json = to_json(kOuter);
  EXPECT_EQ(json["name"], "outer");
  ASSERT_EQ(json["keys"].size(), std::size(kKeys));
  EXPECT_EQ(json["keys"][2].dump(),
            R"({"key":"count","type":"integer","least":-2,"most":7,"list":false,"null":false,)"
            R"("shown":"an integer -2..7","help":"How many."})");
  EXPECT_EQ(json["keys"][7]["type"], "inner");
  EXPECT_EQ(json["keys"][7]["most_items"], 2);
  EXPECT_EQ(to_json(kInner)["keys"][0]["shown"], "a number 0..1, or null");
}

}  // namespace
}  // namespace inferometer
