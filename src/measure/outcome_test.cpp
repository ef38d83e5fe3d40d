// SPDX-License-Identifier: Apache-2.0
#include "measure/outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace inferometer::measure {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const Json& json) {
  try {
    outcome_from_json(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
  return "accepted";
}

Outcome example() {
  Outcome outcome;
  outcome.cell_id = "c0ffee";
  outcome.cell = {
      "resnet50.onnx", "null", "null b8", {{"batch_size", 8}, {"spin", true}}, "latency"};
  outcome.warnings = {"1 launch"};
  outcome.values = {{"latency_p50_ns", 1500}, {"fingerprint", Json::object({{"kernel", "6.1"}})}};
  set_missing(outcome, "latency_p99_ns", "needs 459 timings, has 20");
  outcome.rerun = "inferometer run resnet50.onnx --engine null";
  return outcome;
}

TEST(Fields, EachIsDeclaredOnceAndExplained) {
  std::set<std::string_view> keys;
  for (const auto& each : fields()) {
    EXPECT_TRUE(keys.insert(each.key).second) << each.key;
    EXPECT_FALSE(each.title.empty()) << each.key;
    EXPECT_TRUE(each.help.ends_with('.')) << each.key;
    EXPECT_FALSE(each.key.ends_with("_why")) << each.key;
    EXPECT_EQ(each.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string_view::npos)
        << each.key;
  }
  EXPECT_EQ(field("throughput_samples_per_s").title, "samples/s");
}

TEST(FieldsDeathTest, AnUndeclaredKeyIsABug) {
  EXPECT_DEATH(field("troughput"), "troughput");
}

TEST(Outcome, SurvivesJson) {
  const auto outcome = example();
  const auto json = to_json(outcome);
  const auto back = outcome_from_json(parse_json(json.dump(), "test"));
  EXPECT_EQ(to_json(back).dump(), json.dump());
  EXPECT_EQ(back.cell.params, outcome.cell.params);
  EXPECT_TRUE(back.values["latency_p99_ns"].is_null());
}

TEST(Outcome, FailureSurvivesJson) {
  auto outcome = example();
  outcome.status = Status::Crashed;
  outcome.stage = "load";
  outcome.reason = "signal 11";
  const auto back = outcome_from_json(to_json(outcome));
  EXPECT_EQ(back.status, Status::Crashed);
  EXPECT_EQ(back.stage, "load");
  EXPECT_EQ(back.reason, "signal 11");
}

TEST(Outcome, UnknownKeysAreNamed) {
  auto json = to_json(example());
  json["colour"] = "red";
  EXPECT_THAT(refusal_of(json), HasSubstr("'colour'"));
  json = to_json(example());
  json["values"]["latency_p51_ns"] = 3;
  EXPECT_THAT(refusal_of(json), HasSubstr("'latency_p51_ns'"));
  EXPECT_THAT(refusal_of(json), HasSubstr("nearest: latency_p5"));
}

TEST(Outcome, AReasonNeedsItsMissingQuantity) {
  auto json = to_json(example());
  json["values"]["latency_p99_ns"] = 4;
  EXPECT_THAT(refusal_of(json), HasSubstr("'latency_p99_ns_why'"));
}

TEST(Outcome, WrongTypesAreNamed) {
  for (const auto* key : {"cell_id", "engine", "params", "status", "warnings", "values", "rerun"}) {
    auto json = to_json(example());
    json[key] = 3;
    EXPECT_THAT(refusal_of(json), HasSubstr(std::string("'") + key + "'")) << key;
  }
  auto json = to_json(example());
  json["status"] = "fine";
  EXPECT_THAT(refusal_of(json), HasSubstr("fine"));
  EXPECT_THAT(refusal_of(Json::array()), HasSubstr("an object"));
  json = to_json(example());
  json.erase("engine");
  EXPECT_THAT(refusal_of(json), HasSubstr("'engine'"));
  json = to_json(example());
  json["warnings"] = Json::array();
  for (int i = 0; i < 1001; ++i) json["warnings"].push_back("x");
  EXPECT_THAT(refusal_of(json), HasSubstr("'warnings'"));
}

}  // namespace
}  // namespace inferometer::measure
