// SPDX-License-Identifier: Apache-2.0
// What OpenVINO is told, and what happens when it reads back something else.
#include "options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

namespace inferometer::openvino {
namespace {

// The properties of the fake compiled model.
std::map<std::string, std::string> g_properties;

Library fake_library() {
  Library library{.version = "fake"};
  library.compiled_model_get_property = [](const ov_compiled_model_t*, const char* key,
                                           char** value) {
    *value = ::strdup(g_properties.at(key).c_str());
    return OK;
  };
  library.free = [](const char* text) { std::free(const_cast<char*>(text)); };
  return library;
}

plugin::LoadRequest request(const Params& changed = {}) {
  plugin::LoadRequest made{.artifacts = plugin::Artifacts(nullptr, nullptr)};
  made.params = {
      {"device", "cpu"}, {"precision", "fp32"}, {"threads", 4}, {"streams", 2}, {"cpus", ""}};
  for (const ParamSpec& spec : own_params()) made.params.insert_or_assign(spec.name, spec.fallback);
  for (const auto& [name, value] : changed) made.params.insert_or_assign(name, value);
  return made;
}

// As an honest OpenVINO would answer.
void obey(const Properties& wanted) {
  g_properties.clear();
  for (const ov_property_t& row : wanted.raw())
    g_properties[row.key] = static_cast<const char*>(row.value);
}

Status refusal(const Params& changed) {
  try {
    const Properties properties(request(changed));
  } catch (const Error& error) {
    return error.code();
  }
  return Status::Ok;
}

TEST(OvOptions, PrecisionIsNamedEvenWhenItIsTheDefault) {
  EXPECT_EQ(Properties(request()).value("INFERENCE_PRECISION_HINT"), "f32");
  EXPECT_EQ(Properties(request({{"precision", "bf16"}})).value("INFERENCE_PRECISION_HINT"), "bf16");
  EXPECT_EQ(Properties(request({{"precision", "fp16"}})).value("INFERENCE_PRECISION_HINT"), "f16");
  EXPECT_EQ(Properties(request()).value("DYNAMIC_QUANTIZATION_GROUP_SIZE"), "0");
}

TEST(OvOptions, EveryParamReachesTheEngine) {
  const Properties told(request({{"threads", 6},
                                 {"streams", 3},
                                 {"cpu_pinning", true},
                                 {"denormals", "zero"},
                                 {"profiling", true}}));
  EXPECT_EQ(told.value("INFERENCE_NUM_THREADS"), "6");
  EXPECT_EQ(told.value("NUM_STREAMS"), "3");
  EXPECT_EQ(told.value("ENABLE_CPU_PINNING"), "YES");
  EXPECT_EQ(told.value("CPU_DENORMALS_OPTIMIZATION"), "YES");
  EXPECT_EQ(told.value("PERF_COUNT"), "YES");
}

TEST(OvOptions, WhatCannotBeHonouredIsRefused) {
  EXPECT_EQ(refusal({}), Status::Ok);
  EXPECT_EQ(refusal({{"device", "cuda:0"}}), Status::Unsupported);
  EXPECT_EQ(refusal({{"precision", "int8"}}), Status::Unsupported);
  EXPECT_EQ(refusal({{"threads", 1}, {"streams", 2}}), Status::Invalid);
  EXPECT_EQ(refusal({{"cpus", "0-1"}}), Status::Ok);
  EXPECT_EQ(refusal({{"cpus", "0-1"}, {"cpu_pinning", true}}), Status::Unsupported);
}

TEST(OvOptions, EffectiveValuesAreReadBackInOurWords) {
  const Properties wanted(request({{"denormals", "zero"}}));
  obey(wanted);
  plugin::ModelInfo info;
  read_back(fake_library(), nullptr, wanted, info);
  EXPECT_EQ(info.effective.at("precision"), "fp32");
  EXPECT_EQ(info.effective.at("threads"), "4");
  EXPECT_EQ(info.effective.at("cpu_pinning"), "false");
  EXPECT_EQ(info.effective.at("denormals"), "zero");
  EXPECT_THAT(info.proof.at("precision"), testing::HasSubstr("INFERENCE_PRECISION_HINT"));
  EXPECT_FALSE(info.effective.contains("cpus"));
  const Properties pinned(request({{"cpu_pinning", true}}));
  obey(pinned);
  read_back(fake_library(), nullptr, pinned, info);
  EXPECT_EQ(info.effective.at("cpus"), "OpenVINO's choice");
}

TEST(OvOptions, AQuietlyChangedValueIsRefused) {
  const std::map<std::string, std::string> changes = {
      {"INFERENCE_PRECISION_HINT", "bf16"}, {"INFERENCE_NUM_THREADS", "2"}, {"NUM_STREAMS", "1"}};
  for (const auto& [key, value] : changes) {
    const Properties wanted(request());
    obey(wanted);
    g_properties[key] = value;
    plugin::ModelInfo info;
    try {
      read_back(fake_library(), nullptr, wanted, info);
      ADD_FAILURE() << key << " was not noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Unsupported);
      EXPECT_THAT(error.what(), testing::HasSubstr(key + " read back as " + value));
    }
  }
}

}  // namespace
}  // namespace inferometer::openvino
