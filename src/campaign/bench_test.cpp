// SPDX-License-Identifier: Apache-2.0
#include "campaign/bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.hpp"
#include "campaign/check.hpp"
#include "campaign/fake_lab.hpp"
#include "campaign/summary.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;
using testing::Each;
using testing::HasSubstr;

class Bench : public testing::Test {
 protected:
  Bench() {
    lab.scripts["slow"].row_ns = 2'000'000;
    lab.scripts["fast"].row_ns = 1'000'000;
    options.models = {"m.onnx"};
    options.engines = {"slow", "fast"};
    options.batch_sizes = {1, 4};
    options.rounds = 8;
    journal = std::filesystem::temp_directory_path() /
              ("inferometer_bench_" + std::to_string(::getpid()) + ".jsonl");
    std::filesystem::remove(journal);
  }
  ~Bench() override { std::filesystem::remove(journal); }

  BenchResult go() { return bench(options, lab, {}, stop.get_token()); }

  static const Outcome& find(const BenchResult& result, const std::string& engine,
                             const std::string& workload, std::int64_t batch = 1) {
    const auto found = std::ranges::find_if(result.outcomes, [&](const Outcome& outcome) {
      return outcome.cell.engine == engine && outcome.cell.workload == workload &&
             to_string(outcome.cell.params.at("batch_size")) == std::to_string(batch);
    });
    EXPECT_NE(found, result.outcomes.end());
    return *found;
  }
  static std::size_t count(const BenchResult& result, Status status) {
    return static_cast<std::size_t>(std::ranges::count(result.outcomes, status, &Outcome::status));
  }

  FakeLab lab;
  BenchOptions options;
  std::stop_source stop;
  std::filesystem::path journal;
};

TEST_F(Bench, EveryCellHasItsOutcomeInTheOrderOfTheOptions) {
  const auto result = go();
  ASSERT_EQ(result.outcomes.size(), 16u);
  EXPECT_EQ(count(result, Status::Ok), 16u);
  EXPECT_EQ(result.outcomes[0].cell.workload, "throughput");
  EXPECT_EQ(result.outcomes[4].cell.engine, "fast");
  std::set<std::string> ids;
  for (const auto& outcome : result.outcomes) {
    ids.insert(outcome.cell_id);
    EXPECT_THAT(outcome.rerun, HasSubstr("inferometer run m.onnx --engine " + outcome.cell.engine));
  }
  EXPECT_EQ(ids.size(), 16u);
  EXPECT_EQ(lab.alive, 0);
}

TEST_F(Bench, FiguresAreThoseOfTheEngine) {
  const auto result = go();
  const auto& fast = find(result, "fast", "throughput", 4);
  EXPECT_NEAR(fast.values.at("throughput_samples_per_s").get<double>(), 1000, 0.01);
  EXPECT_NEAR(fast.values.at("ratio_to_control").get<double>(), 2, 1e-4);
  EXPECT_EQ(fast.values.at("control"), find(result, "slow", "throughput", 4).cell_id);
  EXPECT_EQ(fast.values.at("rounds"), options.rounds);
  EXPECT_EQ(fast.values.at("launches"), 1);
  EXPECT_NEAR(fast.values.at("cpus_used").get<double>(), 2, 1e-9);
  EXPECT_EQ(fast.values.at("flops"), 8000);
  EXPECT_EQ(fast.values.at("peak_bandwidth_spread"), 0.02);
  EXPECT_GT(fast.values.at("roofline_share").get<double>(), 0);
  EXPECT_EQ(fast.values.at("parity_golden"), "reference");
  EXPECT_NEAR(find(result, "slow", "latency", 4).values.at("latency_p50_ns").get<double>(), 8e6,
              10);
  const auto& load = find(result, "slow", "load");
  EXPECT_EQ(load.values.at("load_warm_total_ns"), 1'000'000);
  EXPECT_EQ(load.values.at("load_warm_compile_ns"), 600'000);
  EXPECT_TRUE(load.values.at("load_warm_read_ns").is_null());
  EXPECT_EQ(load.values.at("load_warm_first_inference_ns"), 2'000'000);
  EXPECT_EQ(find(result, "slow", "memory").values.at("memory_model_bytes"), 1 << 20);
}

TEST_F(Bench, OneLaunchClaimsNoLessThanTheLaunchSpread) {
  const auto result = go();
  const auto& values = find(result, "fast", "throughput", 4).values;
  EXPECT_LT(values.at("throughput_lower_samples_per_s").get<double>(), 1000 / 1.029);
  EXPECT_GT(values.at("throughput_upper_samples_per_s").get<double>(), 1000 * 1.029);
}

TEST_F(Bench, ResumeWithAnotherControlDoesNotMixRatios) {
  options.journal = journal;
  options.batch_sizes = {1};
  const auto control = find(go(), "slow", "throughput").cell_id;
  options.resume = true;
  options.launches = 2;
  options.control = "fast";
  const auto result = go();
  const auto& fast = find(result, "fast", "throughput");
  EXPECT_EQ(fast.values.at("control"), control);
  EXPECT_NEAR(fast.values.at("ratio_to_control").get<double>(), 2, 1e-4);
  EXPECT_THAT(fast.values.at("ratio_basis").get<std::string>(), HasSubstr("1 launch"));
  EXPECT_THAT(fast.warnings, testing::Contains(HasSubstr("leaves out 1 of 2 launches")));
  EXPECT_EQ(find(result, "slow", "throughput").values.at("ratio_to_control"), 1.0);
}

TEST_F(Bench, OnlyOneWorkerRunsWhileABlockRuns) {
  lab.on_event = [&](const std::string& event) {
    if (event.starts_with("block")) {
      EXPECT_EQ(lab.running, 1) << event;
    }
    if (event == "canary") {
      EXPECT_EQ(lab.running, 0);
    }
  };
  go();
  EXPECT_GT(lab.count("canary"), options.rounds);
}

TEST_F(Bench, ARejectedRoundIsCountedAndLeftOutOfTheFigures) {
  options.batch_sizes = {1};
  options.workloads = {"throughput"};
  lab.on_event = [&](const std::string& event) {
    if (event != "canary") return;
    const bool disturbed = lab.count("canary") == 5;  // after the fourth round
    lab.canary_burst_ns = disturbed ? 4'000'000 : 2'000'000;
  };
  const auto result = go();
  const auto& values = find(result, "fast", "throughput").values;
  EXPECT_EQ(values.at("rounds_rejected"), 2) << "the one before it and the one after";
  EXPECT_EQ(values.at("rounds"), 6);
  EXPECT_EQ(std::ranges::count_if(result.journal.rounds, &Round::rejected), 2) << "and kept";
}

TEST_F(Bench, TheCanaryRunsOnTheCpusOfTheCells) {
  options.params = {{"cpus", {"1", "3"}}};
  go();
  EXPECT_THAT(lab.canary_cpus, testing::ElementsAre(1, 3));
  EXPECT_EQ(lab.canary_ns, measure::kCanaryNs);
  options.block_s = 0.0125;
  go();
  EXPECT_EQ(lab.canary_ns, 1'000'000) << "four blocks of 12.5 ms are a round";
}

TEST(Lab, CellsOfOneBudgetShareTheirCpusAndFewerLieWithinMore) {
  const auto real = make_lab();
  const auto all = real->cpus({});
  const auto one = real->cpus({{"threads", 1}});
  EXPECT_EQ(one, real->cpus({{"threads", 1}}));
  EXPECT_EQ(one, std::vector{all.front()});
  EXPECT_EQ(real->cpus({{"threads", 1}, {"cpus", std::to_string(all.back())}}),
            std::vector{all.back()});
  EXPECT_THROW(real->cpus({{"threads", 4096}}), Error);
}

TEST_F(Bench, AWrongAnswerIsAMismatchAndIsNotTimed) {
  lab.scripts["fast"].wrong = true;
  const auto result = go();
  EXPECT_EQ(count(result, Status::Mismatch), 8u);
  const auto& outcome = find(result, "fast", "throughput");
  EXPECT_EQ(outcome.stage, "parity");
  EXPECT_THAT(outcome.reason, HasSubstr("output 'y'"));
  EXPECT_FALSE(outcome.values.contains("throughput_samples_per_s"));
  EXPECT_GT(outcome.values.at("parity_rel_l2").get<double>(), 0.4);
  EXPECT_EQ(lab.count("block fast"), 4);  // two per contender: the first and second inference
}

TEST_F(Bench, CheckShowsTheWorstFigures) {
  lab.scripts["fast"].nan = true;
  const auto outcomes = check({.model = "m.onnx", .engines = {"fast"}, .rows = {5, 1}}, lab, {});
  EXPECT_EQ(outcomes.at(0).status, Status::Mismatch);
  EXPECT_EQ(outcomes.at(0).values.at("parity_nan"), 16);
}

TEST_F(Bench, BlocksAreNoLongerThanTheJournalHolds) {
  lab.scripts["fast"].row_ns = 50'000;  // a block of 10 s would have 200'000 batches
  options = {.models = {"m.onnx"},
             .engines = {"fast"},
             .workloads = {"throughput"},
             .rounds = 1,
             .block_s = kMostBlockS,
             .journal = journal};
  go();
  EXPECT_EQ(read_journal(journal).rounds.at(0).blocks.at(0).batches, kMaxBlockBatches);
}

TEST_F(Bench, WithoutReferenceTwoEnginesThatAgreeAreTheGolden) {
  lab.scripts["reference"].at_load = Error(Status::Unsupported, "operator Foo (node foo)");
  const auto result = go();
  EXPECT_EQ(count(result, Status::Ok), 16u);
  const auto& agreed = find(result, "slow", "throughput");
  EXPECT_EQ(agreed.values.at("parity_golden"), "agreement of slow and fast");
  EXPECT_TRUE(agreed.warnings.empty());
}

TEST_F(Bench, WithoutReferenceAndAgreementOutcomesAreUnverified) {
  lab.scripts["reference"].at_load = Error(Status::Unsupported, "operator Foo (node foo)");
  const auto unverified = [](const char* why) {
    return testing::Contains(
        testing::AllOf(HasSubstr("unverified"), HasSubstr("operator Foo"), HasSubstr(why)));
  };
  lab.scripts["fast"].wrong = true;
  EXPECT_THAT(find(go(), "slow", "throughput").warnings, unverified("slow and fast differ"));
  lab.scripts["fast"].available = false;
  EXPECT_THAT(find(go(), "slow", "throughput").warnings, unverified("no two other engines"));
}

TEST_F(Bench, TheUsersGoldenComesFirst) {
  Tensor wrong(DType::F32, Shape{1, 4});
  std::ranges::fill(wrong.as<float>(), 7.f);
  options.expect = {"y.npy", {}, {wrong}};
  const auto result = go();
  EXPECT_EQ(count(result, Status::Mismatch), 16u);
  EXPECT_EQ(lab.count("load reference"), 0);
}

TEST_F(Bench, AnUnavailableEngineIsDataAndIsNotTried) {
  lab.scripts["fast"].available = false;
  const auto result = go();
  EXPECT_EQ(count(result, Status::Unavailable), 8u);
  EXPECT_EQ(find(result, "fast", "load").stage, "probe");
  EXPECT_EQ(find(result, "fast", "load").reason, "looked in /nowhere");
  EXPECT_EQ(lab.count("load fast"), 0);
  EXPECT_EQ(count(result, Status::Ok), 8u);
}

TEST_F(Bench, ACrashWhileLoadingLeavesTheOthersAlone) {
  lab.scripts["slow"].at_load = Error(Status::Crashed, "signal 11");
  const auto result = go();
  EXPECT_EQ(find(result, "slow", "latency").status, Status::Crashed);
  EXPECT_EQ(find(result, "slow", "latency").stage, "load");
  EXPECT_EQ(find(result, "fast", "latency").status, Status::Ok);
  EXPECT_FALSE(find(result, "fast", "throughput").values.contains("ratio_to_control"));
}

TEST_F(Bench, ACrashWithinTheRoundsLeavesTheOthersAlone) {
  lab.scripts["fast"].at_block = Error(Status::Crashed, "signal 9");
  lab.scripts["fast"].block_number = 20;  // memory has fewer
  const auto result = go();
  EXPECT_EQ(find(result, "fast", "throughput").status, Status::Crashed);
  EXPECT_EQ(find(result, "fast", "throughput").stage, "predict");
  EXPECT_EQ(find(result, "fast", "load").status, Status::Ok) << "it has processes of its own";
  EXPECT_EQ(find(result, "fast", "memory").status, Status::Ok) << "it has a process of its own";
  EXPECT_EQ(find(result, "slow", "throughput").status, Status::Ok);
  EXPECT_EQ(find(result, "slow", "throughput").values.at("rounds"), options.rounds);
}

TEST_F(Bench, ACrashInALaterLaunchKeepsTheFiguresOfTheEarlier) {
  options.journal = journal;
  options.batch_sizes = {1};
  options.workloads = {"throughput"};
  options.launches = 3;
  lab.on_event = [&](const std::string& event) {
    if (event != "load slow" || lab.count(event) != 3) return;
    lab.scripts["fast"].at_block = Error(Status::Crashed, "signal 9");
    lab.scripts["fast"].block_number = 8;
  };
  const auto result = go();
  const auto& fast = find(result, "fast", "throughput");
  EXPECT_EQ(fast.status, Status::Crashed);
  EXPECT_EQ(fast.values.at("launches"), 2);
  EXPECT_NEAR(fast.values.at("throughput_samples_per_s").get<double>(), 1000, 0.01);
  EXPECT_THAT(fast.warnings, testing::Contains(HasSubstr("2 of 3 launches that ended well")));
  EXPECT_EQ(measure::to_json(summarise(read_journal(journal)).back()), measure::to_json(fast));
}

TEST_F(Bench, LoadsAreTimedWarmColdAndFromAnArtifact) {
  options.batch_sizes = {1};
  options.workloads = {"load"};
  options.params = {{"cache_dir", {"given"}}};
  lab.scripts["fast"].keeps_artifacts = true;
  const auto result = go();
  const auto& fast = find(result, "fast", "load").values;
  for (const auto* key : {"load_warm_total_ns", "load_cold_total_ns", "load_artifact_total_ns"})
    EXPECT_EQ(fast.at(key), 1'000'000) << key;
  EXPECT_EQ(fast.at("load_cold_files_bytes"), 1000);
  EXPECT_THAT(lab.dropped, testing::UnorderedElementsAre("libfast", "m.onnx"));
  EXPECT_EQ(lab.count("load fast"), 5)
      << "to be checked, warm, cold, to leave an artifact, from it";
  const auto& slow = find(result, "slow", "load").values;
  EXPECT_TRUE(slow.at("load_artifact_total_ns").is_null());
  EXPECT_THAT(slow.at("load_artifact_total_ns_why").get<std::string>(), HasSubstr("no artifact"));
}

TEST_F(Bench, AFileThatStaysCachedMakesNoColdLoad) {
  options.batch_sizes = {1};
  options.workloads = {"load"};
  lab.still_cached = 0.4;
  const auto result = go();
  const auto& values = find(result, "fast", "load").values;
  EXPECT_EQ(values.at("load_cold_resident_share"), 0.4);
  EXPECT_TRUE(values.at("load_cold_total_ns").is_null());
  EXPECT_THAT(values.at("load_cold_total_ns_why").get<std::string>(), HasSubstr("40 %"));
}

TEST_F(Bench, TasksThatComputeBesideTheirBudgetAreMarked) {
  options.batch_sizes = {1};
  options.workloads = {"throughput"};
  lab.scripts["fast"].busy_tasks = 3;  // threads=2
  const auto result = go();
  const auto& fast = find(result, "fast", "throughput");
  EXPECT_EQ(fast.values.at("cpus_used_by_task").size(), 3u);
  EXPECT_NEAR(fast.values.at("cpus_used_by_task")[0].at("cpus").get<double>(), 2.0 / 3, 1e-6);
  EXPECT_THAT(fast.warnings, testing::Contains(HasSubstr("3 tasks computed where 2 CPUs")));
  EXPECT_TRUE(find(result, "slow", "throughput").warnings.empty());
}

TEST_F(Bench, ALeakIsTold) {
  options.batch_sizes = {1};
  options.workloads = {"memory"};
  lab.scripts["fast"].leak_bytes = 300 << 10;
  const auto result = go();
  const auto& leaking = find(result, "fast", "memory");
  EXPECT_EQ(leaking.values.at("memory_growth_bytes"), 300 << 10);
  EXPECT_THAT(leaking.warnings, testing::Contains(HasSubstr("grows by 300 KiB a batch")));
  EXPECT_TRUE(find(result, "slow", "memory").warnings.empty());
}

TEST_F(Bench, MemoryIsFittedOverTheBatch) {
  options.workloads = {"memory"};
  const auto result = go();
  for (const std::int64_t batch : {1, 4}) {
    const auto& values = find(result, "fast", "memory", batch).values;
    EXPECT_EQ(values.at("memory_fit_base_bytes"), 1 << 20);
    EXPECT_EQ(values.at("memory_fit_row_bytes"), 1000);
  }
  options.batch_sizes = {4};
  EXPECT_THAT(
      find(go(), "fast", "memory", 4).values.at("memory_fit_row_bytes_why").get<std::string>(),
      HasSubstr("two batch sizes"));
}

TEST_F(Bench, AProfileIsTheMedianOverCallsInTheEnginesOrder) {
  options.batch_sizes = {1};
  options.workloads = {"profile"};
  lab.scripts["fast"].profiles = true;
  const auto result = go();
  const auto& values = find(result, "fast", "profile").values;
  const Json wanted = {{{"node", "b"}, {"kernel", "K"}, {"precision", "fp32"}, {"ns", 101}},
                       {{"node", "a"}, {"kernel", "K"}, {"precision", "fp32"}, {"ns", 7}}};
  EXPECT_EQ(values.at("profile_nodes"), wanted);
  EXPECT_EQ(values.at("profile_total_ns"), 108);
  EXPECT_EQ(find(result, "slow", "profile").status, Status::Unsupported);
}

TEST_F(Bench, AControlThatHasAllButAnotherWorkloadIsTimedWithTheNewcomers) {
  options.journal = journal;
  options.batch_sizes = {1};
  options.engines = {"slow"};
  options.workloads = {"throughput"};
  go();
  options.resume = true;
  options.engines = {"slow", "fast"};
  options.workloads = {"throughput", "load"};
  const auto result = go();
  EXPECT_NEAR(find(result, "fast", "throughput").values.at("ratio_to_control").get<double>(), 2,
              1e-4);
  EXPECT_EQ(find(result, "slow", "load").status, Status::Ok);
}

TEST_F(Bench, LongBlocksGetFewerRoundsUnlessAskedFor) {
  options.batch_sizes = {1, 4000};
  options.workloads = {"throughput"};
  const auto rounds_of = [](const BenchResult& result, std::int64_t batch) {
    return find(result, "slow", "throughput", batch).values.at("rounds");
  };
  EXPECT_EQ(rounds_of(go(), 4000), 8);
  options.rounds.reset();
  options.journal = journal;
  go();  // what a block lasts is known after it
  options.resume = true;
  options.launches = 2;
  const auto result = go();
  EXPECT_EQ(result.journal.launches.back().rounds, 6);
  EXPECT_EQ(result.journal.launches[result.journal.launches.size() - 2].rounds, 8);
}

TEST_F(Bench, WhatCannotFitIsSkippedBeforeItIsLoaded) {
  lab.memory_bytes = 100;  // weights of 40 bytes, 32 for the ports of a row
  const auto result = go();
  EXPECT_EQ(find(result, "fast", "throughput", 1).status, Status::Ok);
  const auto& large = find(result, "fast", "memory", 4);
  EXPECT_EQ(large.status, Status::Skipped);
  EXPECT_THAT(large.reason, HasSubstr("smaller batch"));
  EXPECT_EQ(lab.count("load reference"), 1) << "only the batch that fits needs a golden";
}

TEST_F(Bench, WorkersThatDoNotFitTogetherArePartedFromEachOtherNotFromTheControl) {
  options.batch_sizes = {1};
  options.params = {{"threads", {1, 2}}};
  options.workloads = {"throughput"};
  lab.memory_bytes = 1.6e8;  // of 60 MB an engine
  const auto result = go();
  EXPECT_EQ(count(result, Status::Ok), 4u);
  ASSERT_EQ(result.journal.launches.size(), 3u);
  for (const auto& launch : result.journal.launches) {
    EXPECT_EQ(launch.cells.size(), 2u);
    EXPECT_EQ(launch.controls.front(), result.journal.launches.front().controls.front());
  }
}

TEST_F(Bench, MoreInFlightGivesLatencyBlocksOfItsOwn) {
  options.params = {{"in_flight", {2}}};
  options.batch_sizes = {1};
  const auto result = go();
  EXPECT_EQ(count(result, Status::Ok), 8u);
  for (const auto& round : result.journal.rounds)
    if (round.round > 0) {
      EXPECT_EQ(round.blocks.size(), 4u);
    }
}

TEST_F(Bench, AStopKeepsWhatWasMeasuredAndResumeGoesOn) {
  options.journal = journal;
  options.launches = 2;
  lab.on_event = [&](const std::string& event) {
    if (event == "block fast" && lab.count("canary") > 12) stop.request_stop();
  };
  const auto first = go();
  EXPECT_TRUE(first.interrupted);
  EXPECT_EQ(find(first, "fast", "throughput", 1).status, Status::Ok);
  EXPECT_EQ(find(first, "fast", "memory", 4).status, Status::Skipped);
  const auto rounds = read_journal(journal).rounds.size();

  lab.on_event = {};
  lab.events.clear();
  stop = std::stop_source();
  options.resume = true;
  const auto second = go();
  EXPECT_FALSE(second.interrupted);
  EXPECT_EQ(count(second, Status::Ok), 16u);
  for (const auto& outcome : second.outcomes)
    EXPECT_EQ(outcome.values.at("launches"), outcome.cell.workload == "memory" ? 1 : 2)
        << outcome.rerun;
  const auto journal_now = read_journal(journal);
  EXPECT_GT(journal_now.rounds.size(), rounds);
  std::set<std::pair<std::int64_t, std::string>> launches;
  for (const auto& launch : journal_now.launches)
    EXPECT_TRUE(launches.insert({launch.launch, launch.group}).second) << "launches never merge";

  lab.events.clear();
  go();
  EXPECT_THAT(lab.events, Each(testing::Not(HasSubstr("load")))) << "nothing is missing any more";
}

TEST_F(Bench, TheJournalTruncatedAnywhereResumesToTheSameCells) {
  options.journal = journal;
  options.workloads = {"throughput"};
  options.batch_sizes = {1};
  options.rounds = 3;
  go();
  const auto text = read_text(journal);
  options.resume = true;
  for (std::size_t size = 0; size < text.size(); size += 97) {
    write_text_atomic(journal, text.substr(0, size));
    const auto before = read_journal(journal).rounds.size();
    const auto result = go();
    EXPECT_EQ(count(result, Status::Ok), 2u) << size;
    EXPECT_GE(result.journal.rounds.size(), before);
  }
}

TEST_F(Bench, ResumeOnAnotherMachineIsRefused) {
  options.journal = journal;
  go();
  options.resume = true;
  lab.machine_name = "other";
  EXPECT_THROW(go(), Error);
}

TEST_F(Bench, TheReportSaysTheSameAsTheRun) {
  options.journal = journal;
  const auto result = go();
  const auto again = summarise(read_journal(journal));
  ASSERT_EQ(again.size(), result.outcomes.size());
  for (const auto& outcome : result.outcomes) {
    const auto same = std::ranges::find(again, outcome.cell_id, &Outcome::cell_id);
    ASSERT_NE(same, again.end());
    EXPECT_EQ(measure::to_json(*same), measure::to_json(outcome));
  }
}

TEST_F(Bench, UnknownEngineOrAbsentModelIsRefusedBeforeAnythingIsWritten) {
  options.journal = journal;
  options.engines = {"slwo"};
  try {
    go();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.context().at("nearest"), "slow");
  }
  options.engines = {"slow"};
  options.models = {"absent.onnx"};
  EXPECT_THROW(go(), Error);
  EXPECT_FALSE(std::filesystem::exists(journal));
}

TEST_F(Bench, ProgressNeverDecreasesAndTellsTimeLeft) {
  double last = 0;
  bool told = false;
  bench(options, lab, [&](const ProgressEvent& event) {
    EXPECT_GE(event.share, last);
    last = event.share;
    told |= event.left_s.has_value();
  });
  EXPECT_NEAR(last, 1, 0.02);
  EXPECT_TRUE(told);
}

TEST_F(Bench, LostRowsOfAModelWithABatchOfItsOwnAreSeen) {
  lab.scripts["fast"].own_batch = 4;
  const RunOptions one{.model = "m.onnx", .engine = "fast", .workloads = {"load"}};
  EXPECT_EQ(run(one, lab, {}).outcomes[0].status, Status::Ok);
  lab.scripts["fast"].stale = true;
  EXPECT_EQ(run(one, lab, {}).outcomes[0].status, Status::Mismatch);
}

TEST_F(Bench, KeptGoldensAreTrimmedAndAreOfOneBuildOfTheReference) {
  const auto folder = journal.string() + ".goldens";
  const auto info = lab.worker({"m.onnx", "fast", "fast", {}, ""})->load().info;
  const auto golden = [&](std::int64_t rows) {
    return make_golden({.cell = {"m.onnx", "fast", "fast", {}, ""},
                        .info = info,
                        .model_hash = "model",
                        .rows = rows,
                        .cache_dir = folder},
                       lab);
  };
  golden(9);
  const auto few = golden(4);
  EXPECT_EQ(few.outputs.at(0).shape(), few.inputs.at(0).shape());
  EXPECT_EQ(lab.count("load reference"), 1);
  lab.build = "build 2 ";
  golden(4);
  EXPECT_EQ(lab.count("load reference"), 2);
  std::filesystem::remove_all(folder);
}

TEST_F(Bench, RunMeasuresOneContenderAlone) {
  RunOptions one{.model = "m.onnx", .engine = "fast", .params = {{"batch_size", 4}}, .rounds = 5};
  const auto result = run(one, lab, {});
  ASSERT_EQ(result.outcomes.size(), 4u);
  EXPECT_EQ(count(result, Status::Ok), 4u);
  EXPECT_FALSE(result.outcomes[0].values.contains("control"));
  EXPECT_EQ(result.outcomes[0].values.at("rounds"), 5);
  one.params = {{"batch_size", UntypedText{"many"}}};
  EXPECT_THROW(run(one, lab, {}), Error);
}

}  // namespace
}  // namespace inferometer::campaign
