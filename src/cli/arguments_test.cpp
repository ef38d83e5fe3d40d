// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/usage.hpp"

namespace inferometer::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Body>
std::string usage_error_of(Body&& body) {
  try {
    body();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(SplitList, CommasSeparateAndEscapedOnesDoNot) {
  EXPECT_THAT(split_list("--engines", "a"), ElementsAre("a"));
  EXPECT_THAT(split_list("--engines", "a,b,c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split_list("-p cpus", "0\\,2,1\\,3"), ElementsAre("0,2", "1,3"));
  EXPECT_THAT(split_list("-p times_us", "[1,2],[3]"), ElementsAre("[1,2]", "[3]"));
}

TEST(SplitList, AnEmptyElementIsAUsageErrorNamingTheOption) {
  for (const char* text : {"", ",", "a,", ",a", "a,,b"})
    EXPECT_THAT(usage_error_of([&] { split_list("--engines", text); }), HasSubstr("--engines"))
        << text;
}

TEST(SplitIntegers, OnlyWholeNumbers) {
  EXPECT_THAT(split_integers("--rows", "1,5,37"), ElementsAre(1, 5, 37));
  for (const char* text : {"1.5", "x", "1,2x", "99999999999999999999"})
    EXPECT_THAT(usage_error_of([&] { split_integers("--rows", text); }), HasSubstr("--rows"))
        << text;
}

TEST(ParseParams, ValuesStayUntypedAndMayHoldEqualsSigns) {
  const Params params = parse_params({"batch_size=8", "label=a=b", "cpus="});
  EXPECT_EQ(params.at("batch_size"), ParamValue(UntypedText{"8"}));
  EXPECT_EQ(params.at("label"), ParamValue(UntypedText{"a=b"}));
  EXPECT_EQ(params.at("cpus"), ParamValue(UntypedText{""}));
}

TEST(ParseParams, NamesWhatIsNoPair) {
  EXPECT_THAT(usage_error_of([] { parse_params({"threads"}); }), HasSubstr("threads"));
  EXPECT_THAT(usage_error_of([] { parse_params({"=4"}); }), HasSubstr("=4"));
  EXPECT_THAT(usage_error_of([] { parse_params({"engine=null"}); }), HasSubstr("--engine"));
  EXPECT_THAT(usage_error_of([] { parse_params({"a=1", "a=2"}); }), HasSubstr("given twice"));
}

TEST(ParseChoices, EveryKeyHasItsAlternatives) {
  const auto choices = parse_choices({"streams=1,2", "cpus="});
  ASSERT_EQ(choices.size(), 2U);
  EXPECT_EQ(choices[0].name, "streams");
  EXPECT_THAT(choices[0].values,
              ElementsAre(ParamValue(UntypedText{"1"}), ParamValue(UntypedText{"2"})));
  EXPECT_THAT(choices[1].values, ElementsAre(ParamValue(UntypedText{""})));
  EXPECT_THAT(usage_error_of([] { parse_choices({"a=1", "a=2"}); }), HasSubstr("given twice"));
  EXPECT_THAT(usage_error_of([] { parse_choices({"a=1,"}); }), HasSubstr("-p a"));
}

TEST(ParseNamedPath, TheNameIsWhatStandsBeforeTheFirstEqualsSign) {
  EXPECT_EQ(parse_named_path("--input", "x.npy").name, "");
  EXPECT_EQ(parse_named_path("--input", "x.npy").path, "x.npy");
  EXPECT_EQ(parse_named_path("--input", "image=dir/x=1.npy").name, "image");
  EXPECT_EQ(parse_named_path("--input", "image=dir/x=1.npy").path, "dir/x=1.npy");
  EXPECT_EQ(parse_named_path("--input", "./a=b.npy").path, "./a=b.npy");
  const std::vector<std::string> ports = {"in", "in/x", "in/x=0", "serving/image:0"};
  EXPECT_EQ(parse_named_path("--input", "serving/image:0=x.npy", ports).name, "serving/image:0");
  EXPECT_EQ(parse_named_path("--input", "in/x=0=y.npy", ports).path, "y.npy");
  EXPECT_EQ(parse_named_path("--input", "in/x=y.npy", ports).name, "in/x");
  EXPECT_EQ(parse_named_path("--input", "in/z=y.npy", ports).path, "in/z=y.npy");
  EXPECT_THAT(usage_error_of([] { parse_named_path("--input", "image="); }), HasSubstr("image="));
  EXPECT_THAT(usage_error_of([] { parse_named_path("--input", ""); }), HasSubstr("--input"));
}

}  // namespace
}  // namespace inferometer::cli
