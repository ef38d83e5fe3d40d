// SPDX-License-Identifier: Apache-2.0
#include "campaign/cells.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace inferometer::campaign {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

BenchOptions options() {
  BenchOptions options;
  options.models = {"a.onnx", "b.onnx"};
  options.engines = {"onnxruntime", "openvino"};
  options.batch_sizes = {1, 4};
  return options;
}

// With nothing that a rerun line must say.
BenchOptions usual() {
  auto usual = options();
  return usual;
}

std::vector<std::string> labels(const std::vector<Contender>& contenders) {
  std::vector<std::string> all;
  for (const auto& each : contenders) all.push_back(each.cell.label);
  return all;
}

std::string refusal(const BenchOptions& bad) {
  try {
    check_options(bad);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
  return "";
}

TEST(Cells, ExpandsInAFixedOrder) {
  const auto all = expand(options());
  ASSERT_EQ(all.size(), 8u);
  EXPECT_EQ(rerun_line(all[0].with("load"), usual()),
            "inferometer run a.onnx --engine onnxruntime -p batch_size=1 --workload load");
  EXPECT_EQ(rerun_line(all[3].with("load"), usual()),
            "inferometer run a.onnx --engine openvino -p batch_size=4 --workload load");
  EXPECT_EQ(all[7].cell.model, "b.onnx");
}

TEST(Cells, ParamsListsMultiplyAndOnlyWhatVariesIsInTheLabel) {
  auto given = options();
  given.models = {"a.onnx"};
  given.engines = {"null"};
  given.batch_sizes = {1};
  given.params = {{"threads", {1, 2}}, {"precision", {"fp32"}}, {"spinning", {false, true}}};
  EXPECT_THAT(labels(expand(given)),
              ElementsAre("null threads=1 spinning=false", "null threads=1 spinning=true",
                          "null threads=2 spinning=false", "null threads=2 spinning=true"));
}

TEST(Cells, ABlockHasALengthThatCanBeMeasured) {
  for (const double block_s : {0.0, -0.005, 11.0, 1e297, std::nan("")}) {
    auto given = options();
    given.block_s = block_s;
    EXPECT_THAT(refusal(given), HasSubstr("at most 10000 ms")) << block_s;
  }
}

TEST(Cells, GroupsShareModelAndBatchSize) {
  const auto groups = group(expand(options()), "openvino");
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[1].name, "a.onnx batch 4");
  EXPECT_EQ(groups[1].control, 3u);
  EXPECT_THAT(groups[1].members, ElementsAre(3u, 2u));
}

TEST(Cells, OneEngineIsComparedOverItsBatchSizes) {
  auto given = options();
  given.engines = {"null"};
  const auto groups = group(expand(given), "");
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].name, "a.onnx");
  EXPECT_THAT(groups[0].members, ElementsAre(0u, 1u));
}

TEST(Cells, AGroupHoldsAtMostThreeBesideTheControl) {
  auto given = options();
  given.models = {"a.onnx"};
  given.batch_sizes = {1};
  given.params = {{"threads", {1, 2, 3, 4}}};
  const auto groups = group(expand(given), "");
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_THAT(groups[0].members, ElementsAre(0u, 1u, 2u, 3u));
  EXPECT_THAT(groups[2].members, ElementsAre(0u, 7u));
}

TEST(Cells, TheIdDependsOnEverythingThatMakesACell) {
  const measure::Cell cell{"a.onnx", "null", "null", {{"batch_size", 1}}, "load"};
  const ModelFacts facts{.hash = "11", .inputs = {{"x", DType::F32, {{-1, "N"}, {3, ""}}, 0}}};
  EngineStatus engine;
  engine.library_hash = "22";
  std::set<std::string> ids{cell_id(cell, facts, engine, "plugin"),
                            cell_id(cell, facts, engine, "rebuilt")};
  const auto add = [&](auto change) {
    auto [c, f, e] = std::tuple(cell, facts, engine);
    change(c, f, e);
    ids.insert(cell_id(c, f, e, "plugin"));
  };
  add([](auto& c, auto&, auto&) { c.engine = "reference"; });
  add([](auto& c, auto&, auto&) { c.params.insert_or_assign("batch_size", 2); });
  add([](auto& c, auto&, auto&) { c.workload = "memory"; });
  add([](auto&, auto& f, auto&) { f.hash = "12"; });
  add([](auto&, auto& f, auto&) { f.inputs[0].shape[1].size = 4; });
  add([](auto&, auto&, auto& e) { e.library_hash = "23"; });
  add([](auto&, auto&, auto& e) { e.version = "2"; });
  EXPECT_EQ(ids.size(), 9u);
  add([](auto& c, auto&, auto&) { c.label = "other"; });
  EXPECT_EQ(ids.size(), 9u) << "a label is for people";
}

TEST(Cells, AnotherBoundIsAnotherRateAndTheSameLoad) {
  using Bound = measure::LatencyBound;
  const auto id = [](const std::string& workload, std::optional<Bound> bound) {
    return cell_id({"a.onnx", "null", "null", {}, workload}, {}, {}, "plugin", bound);
  };
  const std::set<std::string> rates = {id("rate", Bound{200, 99}), id("rate", Bound{201, 99}),
                                       id("rate", Bound{200, 95})};
  EXPECT_EQ(rates.size(), 3u);
  EXPECT_EQ(id("load", Bound{200, 99}), id("load", {}));
}

TEST(Cells, TheRerunLineOfARateSaysItsBound) {
  const measure::Cell cell{"m.onnx", "null", "", {}, "rate"};
  auto asked = usual();
  asked.latency_bound = measure::latency_bound(12.3456789, 99);
  EXPECT_EQ(rerun_line(cell, asked),
            "inferometer run m.onnx --engine null --workload rate --latency-bound-ms 12.345679");
  asked.latency_bound = measure::latency_bound(200, 99.9);
  EXPECT_THAT(rerun_line(cell, asked),
              testing::EndsWith("--latency-bound-ms 200 --latency-percentile 99.9"));
  EXPECT_THAT(rerun_line({"m.onnx", "null", "", {}, "load"}, asked),
              testing::Not(HasSubstr("bound")));
}

TEST(Cells, TheRerunLineSurvivesAShell) {
  const measure::Cell cell{"my model's $HOME.onnx", "null", "", {{"label", "a b"}}, "load"};
  EXPECT_EQ(
      rerun_line(cell, usual()),
      "inferometer run 'my model'\\''s $HOME.onnx' --engine null -p 'label=a b' --workload load");
}

TEST(Cells, TheRerunLineSaysWhatRunWouldDoOtherwise) {
  const measure::Cell cell{"m.onnx", "null", "", {}, "load"};
  auto asked = options();
  asked.rounds = 8;
  asked.block_s = 0.02;
  asked.seed = 3;
  asked.expect.input_files = {"my x.npy"};
  asked.expect.output_files = {"y=y.npy"};
  EXPECT_EQ(
      rerun_line(cell, asked),
      "inferometer run m.onnx --engine null --workload load --rounds 8 --block-ms 20 --seed 3 "
      "--input 'my x.npy' --expect y=y.npy");
}

TEST(Cells, TheCheckLineSaysWhatWasFedAndExpected) {
  const measure::Cell cell{"m.onnx", "null", "", {}, "parity"};
  CheckOptions asked;
  EXPECT_EQ(check_line(cell, asked), "inferometer check m.onnx --engines null");
  asked.rows = {1, 7};
  asked.seed = 3;
  asked.expect.input_files = {"ids=:int:0..9"};
  asked.expect.output_files = {"y.npy"};
  EXPECT_EQ(check_line(cell, asked),
            "inferometer check m.onnx --engines null --rows 1,7 --seed 3 --input ids=:int:0..9 "
            "--expect y.npy");
}

TEST(Cells, ALabelOfTheUsersIsShown) {
  auto given = options();
  given.models = {"a.onnx"};
  given.batch_sizes = {1};
  given.params = {{"label", {"mine"}}, {"threads", {1, 2}}};
  EXPECT_EQ(labels(expand(given)).front(), "onnxruntime mine threads=1");
}

TEST(Cells, RefusesOptionsThatMakeNoSense) {
  EXPECT_EQ(refusal(options()), "");
  auto bad = options();
  bad.models.clear();
  EXPECT_THAT(refusal(bad), HasSubstr("no model"));
  bad = options();
  bad.engines = {"null", "null"};
  EXPECT_THAT(refusal(bad), HasSubstr("twice"));
  bad = options();
  bad.control = "null";
  EXPECT_THAT(refusal(bad), HasSubstr("control 'null' is not measured"));
  bad = options();
  bad.workloads = {"troughput"};
  EXPECT_THAT(refusal(bad), HasSubstr("troughput"));
  bad = options();
  bad.workloads = {"load", "rate"};
  EXPECT_THAT(refusal(bad), HasSubstr("latency bound"));
  bad = options();
  bad.batch_sizes = {-1};
  EXPECT_THAT(refusal(bad), HasSubstr("batch size -1"));
  bad = options();
  bad.launches = 0;
  EXPECT_THAT(refusal(bad), HasSubstr("launches 0"));
  bad = options();
  bad.params = {{"batch_size", {1}}};
  EXPECT_THAT(refusal(bad), HasSubstr("--batch-sizes"));
}

}  // namespace
}  // namespace inferometer::campaign
