// SPDX-License-Identifier: Apache-2.0
// What ONNX Runtime is told, seen by a fake of its C API that writes everything down.
#include "options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace inferometer::onnxruntime {
namespace {

using testing::Contains;
using testing::Not;

std::vector<std::string> g_told;

OrtStatus* tell(const std::string& what) {
  g_told.push_back(what);
  return nullptr;
}

OrtApi fake_api() {
  OrtApi api{};
  api.CreateSessionOptions = [](OrtSessionOptions** out) noexcept {
    static int object = 0;
    *out = reinterpret_cast<OrtSessionOptions*>(&object);
    return static_cast<OrtStatus*>(nullptr);
  };
  api.ReleaseSessionOptions = [](OrtSessionOptions*) noexcept { tell("released"); };
  api.SetIntraOpNumThreads = [](OrtSessionOptions*, int n) noexcept {
    return tell("intra " + std::to_string(n));
  };
  api.SetInterOpNumThreads = [](OrtSessionOptions*, int n) noexcept {
    return tell("inter " + std::to_string(n));
  };
  api.SetSessionExecutionMode = [](OrtSessionOptions*, ExecutionMode mode) noexcept {
    return tell(mode == ORT_SEQUENTIAL ? "sequential" : "parallel");
  };
  api.SetSessionGraphOptimizationLevel = [](OrtSessionOptions*,
                                            GraphOptimizationLevel level) noexcept {
    return tell("level " + std::to_string(level));
  };
  api.AddSessionConfigEntry = [](OrtSessionOptions*, const char* key, const char* value) noexcept {
    return tell(std::string(key) + "=" + value);
  };
  api.EnableCpuMemArena = [](OrtSessionOptions*) noexcept { return tell("arena"); };
  api.DisableCpuMemArena = [](OrtSessionOptions*) noexcept { return tell("no arena"); };
  api.AddFreeDimensionOverrideByName = [](OrtSessionOptions*, const char* name,
                                          std::int64_t size) noexcept {
    return tell("dim " + std::string(name) + "=" + std::to_string(size));
  };
  return api;
}

plugin::LoadRequest request(const Params& changed = {}) {
  plugin::LoadRequest made{.artifacts = plugin::Artifacts(nullptr, nullptr)};
  made.params = {{"device", "cpu"}, {"precision", "fp32"}, {"threads", 4}, {"streams", 1}};
  for (const ParamSpec& spec : own_params()) made.params.insert_or_assign(spec.name, spec.fallback);
  for (const auto& [name, value] : changed) made.params.insert_or_assign(name, value);
  return made;
}

std::vector<std::string> told(const plugin::LoadRequest& asked, Source source = Source::Model) {
  const OrtApi api = fake_api();
  const Library library{.version = "fake", .api = &api};
  g_told.clear();
  session_options(library, asked, source);
  return g_told;
}

Status refusal(const Params& changed) {
  try {
    require_honourable(request(changed));
  } catch (const Error& error) {
    return error.code();
  }
  return Status::Ok;
}

TEST(OrtOptions, DefaultsAreNamed) {
  const auto all = told(request());
  for (const char* expected :
       {"intra 4", "inter 1", "sequential", "level 99", "arena",
        "session.intra_op.allow_spinning=1", "session.set_denormal_as_zero=0", "released"}) {
    EXPECT_THAT(all, Contains(expected));
  }
}

TEST(OrtOptions, EveryOwnParamReachesTheEngine) {
  EXPECT_THAT(told(request({{"graph_optimization", "disabled"}})), Contains("level 0"));
  EXPECT_THAT(told(request({{"graph_optimization", "basic"}})), Contains("level 1"));
  EXPECT_THAT(told(request({{"graph_optimization", "extended"}})), Contains("level 2"));
  EXPECT_THAT(told(request({{"spinning", false}})), Contains("session.intra_op.allow_spinning=0"));
  EXPECT_THAT(told(request({{"memory_arena", false}})), Contains("no arena"));
  EXPECT_THAT(told(request({{"denormals", "zero"}})), Contains("session.set_denormal_as_zero=1"));
}

TEST(OrtOptions, StreamsTakeTheirCallersFromTheBudget) {
  EXPECT_EQ(pool_threads(request({{"threads", 4}, {"streams", 1}})), 4);
  EXPECT_EQ(pool_threads(request({{"threads", 4}, {"streams", 3}})), 2);
  EXPECT_EQ(pool_threads(request({{"threads", 2}, {"streams", 2}})), 1);
}

TEST(OrtOptions, SymbolsAreFixedInAModelAndNotInAnArtifact) {
  auto asked = request();
  asked.dims = {{"seq", 128}};
  EXPECT_THAT(told(asked), Contains("dim seq=128"));
  const auto artifact = told(asked, Source::Artifact);
  EXPECT_THAT(artifact, Not(Contains("dim seq=128")));
  EXPECT_THAT(artifact, Contains("session.load_model_format=ORT"));
}

TEST(OrtOptions, WhatCannotBeHonouredIsRefused) {
  EXPECT_EQ(refusal({}), Status::Ok);
  EXPECT_EQ(refusal({{"device", "cuda:0"}}), Status::Unsupported);
  EXPECT_EQ(refusal({{"precision", "bf16"}}), Status::Unsupported);
  EXPECT_EQ(refusal({{"threads", 1}, {"streams", 2}}), Status::Invalid);
}

}  // namespace
}  // namespace inferometer::onnxruntime
