// SPDX-License-Identifier: Apache-2.0
#include "core/settings.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

ModelFile dynamic_file() {
  graph::Signature signature;
  signature.inputs = {{.name = "x", .shape = {{-1, "N"}, {-1, "seq"}, {3, ""}}, .batch_axis = 0}};
  signature.outputs = {{.name = "y", .shape = {{-1, "N"}, {-1, "seq"}}, .batch_axis = 0}};
  signature.batch_symbol = "N";
  return {.signature = signature, .why = {}};
}

ModelFile fixed_file(std::int64_t batch) {
  ModelFile file = dynamic_file();
  file.signature->batch_symbol.clear();
  file.signature->batch_size = batch;
  return file;
}

Settings settle_with(const Params& params, const ModelFile& file) {
  return settle("m.onnx", resolve_params(params, {}), file);
}

Error refusal(const Params& params, const ModelFile& file) {
  try {
    settle_with(params, file);
  } catch (const Error& error) {
    return error;
  }
  return {Status::Ok, "accepted"};
}

TEST(Settle, FixesBatchAndSymbols) {
  const Settings settings = settle_with({{"batch_size", 8}, {"dim.seq", 16}}, dynamic_file());
  EXPECT_EQ(settings.json.at("input_shapes"), Json({{8, 16, 3}}));
  EXPECT_EQ(settings.json.at("dims"), Json({{"seq", 16}}));
  EXPECT_TRUE(settings.dynamic_batch);
}

TEST(Settle, LeavesOpenSymbolsDynamic) {
  EXPECT_EQ(settle_with({}, dynamic_file()).json.at("input_shapes"), Json({{1, -1, 3}}));
}

TEST(Settle, AFixedFileGivesTheBatchAndRefusesAnother) {
  const Settings settings = settle_with({}, fixed_file(4));
  EXPECT_EQ(settings.batch_size, 4);
  EXPECT_FALSE(settings.dynamic_batch);
  EXPECT_EQ(refusal({{"batch_size", 8}}, fixed_file(4)).context().at("param"), "batch_size");
  EXPECT_EQ(refusal({{"batch_size", 8}}, fixed_file(-1)).code(), Status::Invalid)
      << "no batch axis";
}

TEST(Settle, AFileThatWasNotReadHasNoSymbolsToFix) {
  EXPECT_EQ(refusal({{"dim.seq", 2}}, {}).code(), Status::Unsupported);
  EXPECT_EQ(settle_with({{"batch_size", 8}}, {}).batch_size, 8);
}

TEST(Settle, AnUnknownSymbolIsRefusedWithTheNearest) {
  EXPECT_EQ(refusal({{"dim.sek", 2}}, dynamic_file()).context().at("nearest"), "dim.seq");
  EXPECT_EQ(refusal({{"dim.N", 2}}, dynamic_file()).context().at("nearest"), "batch_size");
}

std::string key(const Params& params, const ModelFile& file,
                const std::string& library_hash = "lib", const std::string& plugin_hash = "plugin",
                const std::string& hash = "model", const std::string& version = "1") {
  const Resolved resolved = resolve_params(params, {});
  EngineStatus engine;
  engine.library_hash = library_hash;
  engine.version = version;
  return artifact_key(settle("m.onnx", resolved, file), resolved, engine, plugin_hash, hash);
}

TEST(ArtifactKey, ChangesWithAllThatCompilationDependsOn) {
  const std::string base = key({{"batch_size", 8}, {"dim.seq", 16}}, dynamic_file());
  EXPECT_EQ(base, key({{"batch_size", 8}, {"dim.seq", 16}}, dynamic_file()));
  EXPECT_NE(base, key({{"batch_size", 4}, {"dim.seq", 16}}, dynamic_file()));
  EXPECT_NE(base, key({{"batch_size", 8}, {"dim.seq", 17}}, dynamic_file()));
  EXPECT_NE(base, key({{"batch_size", 8}, {"dim.seq", 16}, {"precision", "bf16"}}, dynamic_file()));
  EXPECT_NE(base, key({{"batch_size", 8}, {"dim.seq", 16}}, dynamic_file(), "other"));
  EXPECT_NE(base, key({{"batch_size", 8}, {"dim.seq", 16}}, dynamic_file(), "lib", "other"));
  EXPECT_NE(base,
            key({{"batch_size", 8}, {"dim.seq", 16}}, dynamic_file(), "lib", "plugin", "other"));
  EXPECT_NE(base, key({{"batch_size", 8}, {"dim.seq", 16}}, dynamic_file(), "lib", "plugin",
                      "model", "2"));
}

TEST(ArtifactKey, DoesNotChangeWithWhatOnlyRunsDiffer) {
  EXPECT_EQ(key({{"label", "a"}}, dynamic_file()), key({{"label", "b"}}, dynamic_file()));
}

Json engine_answer() {
  return {{"inputs", {{{"name", "renamed"}, {"dtype", "f32"}, {"shape", {-1, 16, 3}}}}},
          {"outputs", {{{"name", "y"}, {"dtype", "f32"}, {"shape", {-1, 16}}}}},
          {"dynamic_batch", true}};
}

TEST(AddEngineInfo, NamesSymbolsAndBatchAxisComeFromTheFile) {
  const Settings settings = settle_with({{"dim.seq", 16}}, dynamic_file());
  Info info;
  add_engine_info(info, engine_answer(), dynamic_file(), settings);
  EXPECT_EQ(info.inputs.front().name, "x");
  EXPECT_EQ(info.inputs.front().batch_axis, 0);
  EXPECT_EQ(info.outputs.front().shape.at(1).size, 16) << "the fixed symbol";
}

TEST(AddEngineInfo, WithoutAFileABatchNeedsAnAxisThatTheEngineReports) {
  const Settings eight = settle_with({{"batch_size", 8}}, {});
  Info info;
  add_engine_info(info, engine_answer(), {}, eight);
  EXPECT_EQ(info.inputs.front().batch_axis, 0);
  Json fixed = engine_answer();
  fixed["inputs"][0]["shape"] = {4, 16, 3};
  EXPECT_THROW(add_engine_info(info, fixed, {}, eight), Error);
  EXPECT_NO_THROW(add_engine_info(info, fixed, {}, settle_with({{"batch_size", 4}}, {})));
}

TEST(AddEngineInfo, AnEngineThatDisagreesHasFailedToLoad) {
  const Settings settings = settle_with({}, dynamic_file());
  const std::function<void(Json&)> faults[] = {[](Json& a) { a.erase("inputs"); },
                                               [](Json& a) { a["inputs"] = Json::array(); },
                                               [](Json& a) { a["inputs"][0]["dtype"] = "i64"; },
                                               [](Json& a) { a["inputs"][0]["dtype"] = "odd"; },
                                               [](Json& a) { a["outputs"][0]["shape"] = "x"; }};
  for (const auto& fault : faults) {
    Json answer = engine_answer();
    fault(answer);
    Info info;
    try {
      add_engine_info(info, answer, dynamic_file(), settings);
      FAIL() << answer.dump();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::LoadFailed) << answer.dump();
    }
  }
}

}  // namespace
}  // namespace inferometer::core
