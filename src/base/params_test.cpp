// SPDX-License-Identifier: Apache-2.0
#include "base/params.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

std::vector<ParamSpec> specs() {
  return {{.name = "threads",
           .type = ParamSpec::Type::Integer,
           .fallback = 2,
           .minimum = 1,
           .maximum = 64},
          {.name = "spinning", .type = ParamSpec::Type::Bool, .fallback = true},
          {.name = "budget_s", .type = ParamSpec::Type::Real, .fallback = 0.5, .minimum = 0},
          {.name = "precision", .fallback = "fp32", .choices = {"fp32", "bf16"}}};
}

Error refusal(const Params& given) {
  try {
    resolve(specs(), given);
  } catch (const Error& error) {
    return error;
  }
  return {Status::Ok, "accepted"};
}

TEST(Resolve, FillsDefaultsAndKeepsTypes) {
  const Params resolved = resolve(specs(), {{"threads", 4}, {"budget_s", 2}});
  EXPECT_EQ(std::get<std::int64_t>(resolved.at("threads")), 4);
  EXPECT_EQ(std::get<bool>(resolved.at("spinning")), true);
  EXPECT_EQ(std::get<double>(resolved.at("budget_s")), 2.0);
  EXPECT_EQ(std::get<std::string>(resolved.at("precision")), "fp32");
}

TEST(Resolve, ReadsUntypedTextByTheDeclaredType) {
  const Params resolved =
      resolve(specs(), {{"threads", UntypedText{"8"}}, {"spinning", UntypedText{"off"}}});
  EXPECT_EQ(std::get<std::int64_t>(resolved.at("threads")), 8);
  EXPECT_EQ(std::get<bool>(resolved.at("spinning")), false);
}

TEST(Resolve, NamesTheNearest) {
  const Error error = refusal({{"thread", 2}});
  EXPECT_EQ(error.code(), Status::Invalid);
  EXPECT_EQ(error.context().at("nearest"), "threads");
  EXPECT_EQ(error.context().at("param"), "thread");
}

TEST(Resolve, RefusesWrongTypesAndValues) {
  const Params bad[] = {{{"threads", "4"}},
                        {{"threads", true}},
                        {{"threads", 2.5}},
                        {{"threads", 0}},
                        {{"threads", 65}},
                        {{"threads", UntypedText{"4x"}}},
                        {{"threads", UntypedText{""}}},
                        {{"threads", UntypedText{"99999999999999999999"}}},
                        {{"spinning", 1}},
                        {{"spinning", UntypedText{"banana"}}},
                        {{"budget_s", UntypedText{"nan"}}},
                        {{"budget_s", -1}},
                        {{"precision", "fp64"}}};
  for (const Params& params : bad) {
    const Error error = refusal(params);
    EXPECT_EQ(error.code(), Status::Invalid) << to_json(params).dump();
    EXPECT_EQ(error.context().count("expected"), 1u) << error.what();
  }
}

TEST(RequireUtf8, NamesTheParam) {
  EXPECT_NO_THROW(require_utf8({{"label", "\xC3\xA4"}, {"threads", 2}}));
  for (const ParamValue& value : {ParamValue("\xff"), ParamValue(UntypedText{"\xff"})}) {
    try {
      require_utf8({{"label", value}});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
      EXPECT_EQ(error.context().at("param"), "label");
    }
  }
  EXPECT_THROW(require_utf8({{"dim.\xff", 2}}), Error);
}

TEST(ParamSpecJson, ReadsBack) {
  for (const ParamSpec& spec : specs()) {
    EXPECT_EQ(to_json(param_spec_from_json(to_json(spec))), to_json(spec));
  }
}

TEST(ParseJson, RefusesDeepNestingAndGarbage) {
  EXPECT_THROW(parse_json(std::string(100'000, '['), "test"), Error);
  EXPECT_THROW(parse_json("{\"a\":", "test"), Error);
  EXPECT_EQ(parse_json("[1]", "test").at(0), 1);
}

}  // namespace
}  // namespace inferometer
