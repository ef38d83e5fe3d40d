// SPDX-License-Identifier: Apache-2.0
#include "process/info_json.hpp"

#include <gtest/gtest.h>

#include "inferometer/error.hpp"

namespace inferometer::process {
namespace {

Info sample() {
  Info info;
  info.engine = "null";
  info.engine_choice = "asked for";
  info.model_hash = "ab";
  info.inputs = {{"x", DType::BF16, {{-1, "N"}, {3, ""}}, 0}, {"k", DType::Bool, {}, {}}};
  info.outputs = {{"y", DType::I64, {{-1, ""}}, {}}};
  info.requested = {{"threads", 2}, {"spinning", true}, {"scale", 0.5}, {"engine", "null"}};
  info.effective = {{"threads", "2"}, {"in_flight", "3"}};
  info.proof = {{"threads", "procfs"}};
  info.load_phases_ns = {{"compile", 5}};
  info.dynamic_batch = true;
  info.notes = {"a note"};
  return info;
}

TEST(InfoJson, ComesBackWhole) {
  const Info info = sample();
  const Info back = info_from_json(to_json(info));
  EXPECT_EQ(to_json(back), to_json(info));
  EXPECT_EQ(back.inputs[0].dtype, DType::BF16);
  EXPECT_EQ(back.inputs[0].shape, info.inputs[0].shape);
  EXPECT_EQ(back.inputs[0].batch_axis, 0);
  EXPECT_FALSE(back.inputs[1].batch_axis);
  EXPECT_EQ(back.requested, info.requested);
  EXPECT_TRUE(back.dynamic_batch);
}

TEST(InfoJson, RefusesWhatIsMissingOrOfAnotherType) {
  const Json whole = to_json(sample());
  for (const auto& [key, value] : whole.items()) {
    Json without = whole;
    without.erase(key);
    EXPECT_THROW(info_from_json(without), Error) << key;
  }
  Json axis = whole;
  axis["inputs"][0]["batch_axis"] = 2;
  EXPECT_THROW(info_from_json(axis), Error);
  EXPECT_THROW(info_from_json(Json::array()), Error);
}

TEST(EngineStatusJson, ComesBackWhole) {
  EngineStatus status{.name = "null", .available = true, .version = "1", .devices = {"cpu"}};
  status.params = {{.name = "work", .type = ParamSpec::Type::Integer, .fallback = 3}};
  const EngineStatus back = engine_status_from_json(to_json(status));
  EXPECT_EQ(to_json(back), to_json(status));
  EXPECT_THROW(engine_status_from_json(Json::object()), Error);
}

TEST(CountInForce, PrefersWhatWasReadBack) {
  Info info = sample();
  EXPECT_EQ(count_in_force(info, "in_flight"), 3);
  EXPECT_EQ(count_in_force(info, "streams"), 1);
  info.effective.clear();
  EXPECT_EQ(count_in_force(info, "threads"), 2);
  info.requested.insert_or_assign("threads", 0);
  EXPECT_EQ(count_in_force(info, "threads"), 1);
}

}  // namespace
}  // namespace inferometer::process
