// SPDX-License-Identifier: Apache-2.0
// The energy pass on the fake lab, whose power is known: 20 W when nothing runs, 70 W when a worker
// does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "campaign/bench.hpp"
#include "campaign/cells.hpp"
#include "campaign/fake_lab.hpp"
#include "campaign/summary.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;
using testing::Contains;
using testing::HasSubstr;

class EnergyPass : public testing::Test {
 protected:
  EnergyPass() {
    lab.scripts["fast"].row_ns = 2'000'000;
    options.models = {"m.onnx"};
    options.engines = {"fast"};
    options.workloads = {"energy"};
    options.batch_sizes = {4};
  }
  Outcome go() {
    result = bench(options, lab, {}, stop.get_token());
    return result.outcomes.at(0);
  }
  static double number(const Outcome& outcome, const char* key) {
    return outcome.values.at(key).get<double>();
  }
  static std::string why(const Outcome& outcome, const std::string& key) {
    EXPECT_TRUE(outcome.values.at(key).is_null()) << key;
    return outcome.values.at(key + "_why").get<std::string>();
  }

  FakeLab lab;
  BenchOptions options;
  std::stop_source stop;
  BenchResult result;
};

TEST_F(EnergyPass, GrossAndNetFollowFromKnownPower) {
  const auto outcome = go();
  ASSERT_EQ(outcome.status, Status::Ok) << outcome.reason;
  // A row takes 2 ms at 70 W, of which 50 are more than idle.
  EXPECT_NEAR(number(outcome, "energy_gross_j_per_sample"), 0.14, 1e-6);
  EXPECT_NEAR(number(outcome, "energy_net_j_per_sample"), 0.10, 1e-6);
  EXPECT_NEAR(number(outcome, "energy_mean_w"), 70, 1e-9);
  EXPECT_NEAR(number(outcome, "energy_idle_before_w"), 20, 1e-9) << "the worker is parked";
  EXPECT_NEAR(number(outcome, "energy_idle_after_w"), 20, 1e-9);
  EXPECT_EQ(outcome.values.at("energy_coverage"), 1);
  EXPECT_EQ(outcome.values.at("energy_method"), "fake");
  EXPECT_EQ(outcome.values.at("energy_domains").at(0).at("domain"), "machine");
  EXPECT_GE(number(outcome, "energy_window_ns"), 10e9);
  EXPECT_LT(number(outcome, "energy_window_ns"), 12e9) << "blocks of about a second";
  EXPECT_NEAR(number(outcome, "energy_samples"), number(outcome, "energy_window_ns") / 2e6, 1);
  EXPECT_TRUE(outcome.warnings.empty());
  EXPECT_EQ(lab.count("rest"), 3);
}

TEST_F(EnergyPass, ASlowModelStillHasFiveBatches) {
  lab.scripts["fast"].row_ns = 5'000'000'000;
  const auto outcome = go();
  EXPECT_EQ(outcome.values.at("energy_samples"), 5 * 4);
  EXPECT_NEAR(number(outcome, "energy_gross_j_per_sample"), 350, 1e-3);
}

TEST_F(EnergyPass, IsNotMeasuredUnlessAskedFor) {
  EXPECT_THAT(workloads(), Contains("energy"));
  EXPECT_THAT(BenchOptions{}.workloads, testing::Not(Contains("energy")));
  EXPECT_THAT(RunOptions{}.workloads, testing::Not(Contains("energy")));
}

TEST_F(EnergyPass, WhatNobodyCanReadIsUnavailable) {
  lab.no_energy = Error(Status::Unavailable, "RAPL: none; NVML: none; power log: none given");
  options.workloads = {"energy", "load"};
  const auto outcome = go();
  EXPECT_EQ(outcome.status, Status::Unavailable);
  EXPECT_EQ(outcome.stage, "measure");
  EXPECT_EQ(outcome.reason, lab.no_energy->what());
  EXPECT_EQ(result.outcomes.at(1).status, Status::Ok) << "load is measured all the same";
}

TEST_F(EnergyPass, ALogWithAGapGivesNullsWithTheReason) {
  lab.energy_coverage = 0.9;
  const auto outcome = go();
  EXPECT_EQ(outcome.status, Status::Ok);
  EXPECT_EQ(outcome.values.at("energy_coverage"), 0.9);
  for (const auto* key : {"energy_gross_j_per_sample", "energy_net_j_per_sample", "energy_mean_w",
                          "energy_idle_before_w", "energy_idle_after_w", "energy_domains"})
    EXPECT_EQ(why(outcome, key), "the log has a gap") << key;
}

TEST_F(EnergyPass, ALogThatTellsNothingOfTheWindowIsUnavailable) {
  lab.energy_coverage = 0;
  const auto outcome = go();
  EXPECT_EQ(outcome.status, Status::Unavailable);
  EXPECT_EQ(outcome.reason, "the log has a gap");
  EXPECT_FALSE(outcome.values.contains("energy_mean_w"));
}

TEST_F(EnergyPass, WithoutIdlePowerThereIsNoNet) {
  lab.on_event = [&](const std::string& event) {
    lab.energy_coverage = event == "rest" && lab.count("rest") == 1 ? 0.5 : 1;
  };
  const auto outcome = go();
  EXPECT_NEAR(number(outcome, "energy_gross_j_per_sample"), 0.14, 1e-6);
  EXPECT_EQ(why(outcome, "energy_net_j_per_sample"), "the log has a gap");
  EXPECT_EQ(why(outcome, "energy_idle_before_w"), "the log has a gap");
  EXPECT_NEAR(number(outcome, "energy_idle_after_w"), 20, 1e-9);
}

TEST_F(EnergyPass, IdlePowerThatMovesMakesTheNetDoubtful) {
  lab.on_event = [&](const std::string& event) {
    if (event == "rest" && lab.count("rest") == 2) lab.idle_w = 30;
  };
  const auto outcome = go();
  EXPECT_NEAR(number(outcome, "energy_net_j_per_sample"), 0.09, 1e-6) << "less the mean of both";
  EXPECT_THAT(outcome.warnings, Contains(HasSubstr("20 W before and 30 W after")));
}

TEST_F(EnergyPass, AStopEndsItBehindTheBlock) {
  std::int64_t at_stop = 0;
  lab.on_event = [&](const std::string& event) {
    if (event.starts_with("block") && lab.count("rest") == 1 && at_stop == 0) {
      stop.request_stop();
      at_stop = lab.count(event);
    }
  };
  const auto outcome = go();
  EXPECT_EQ(outcome.status, Status::Skipped);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(lab.count("block fast"), at_stop);
  EXPECT_EQ(lab.count("rest"), 1);
  EXPECT_EQ(lab.alive, 0);
}

TEST_F(EnergyPass, AStopWhileIdleEndsItToo) {
  lab.on_event = [&](const std::string& event) {
    if (event == "rest" && lab.count("rest") == 2) stop.request_stop();
  };
  EXPECT_EQ(go().status, Status::Skipped);
}

TEST_F(EnergyPass, ACrashIsTheCellsFailure) {
  lab.scripts["fast"].at_block = Error(Status::Crashed, "signal 9");
  lab.scripts["fast"].block_number = 40;  // behind parity and warm-up
  const auto outcome = go();
  EXPECT_EQ(outcome.status, Status::Crashed);
  EXPECT_EQ(outcome.stage, "measure");
}

TEST_F(EnergyPass, ALogIsNamedInTheLineThatRepeatsIt) {
  options.power_log = "my meter.csv";
  EXPECT_THAT(go().rerun, HasSubstr(" --workload energy --power-log 'my meter.csv'"));
  EXPECT_EQ(lab.power_log, "my meter.csv");
  const RunOptions one{
      .model = "m.onnx", .engine = "fast", .workloads = {"energy"}, .power_log = "other.csv"};
  EXPECT_EQ(run(one, lab, {}).outcomes.at(0).status, Status::Ok);
  EXPECT_EQ(lab.power_log, "other.csv");
}

TEST_F(EnergyPass, LaunchesWithoutANumberAreToldAndTheJournalCanBeRead) {
  const ScratchFolder scratch("inferometer-energy");
  options.journal = scratch.path() / "j.jsonl";
  options.launches = 3;
  for (const auto missing : {1, 3}) {
    std::filesystem::remove(options.journal);
    lab.events.clear();
    lab.on_event = [&](const std::string& event) {
      if (event == "meter") lab.energy_coverage = lab.count("meter") == missing ? 0.5 : 1;
    };
    const auto outcome = go();
    EXPECT_NEAR(number(outcome, "energy_gross_j_per_sample"), 0.14, 1e-6);
    EXPECT_FALSE(outcome.values.contains("energy_gross_j_per_sample_why"));
    EXPECT_EQ(outcome.values.at("energy_domains").is_null(), missing == 3);
    EXPECT_THAT(outcome.warnings, Contains(HasSubstr("energy_gross_j_per_sample is of 2 of 3 "
                                                     "launches: the log has a gap")));
    const auto again = summarise(read_journal(options.journal)).at(0);
    EXPECT_EQ(measure::to_json(again), measure::to_json(outcome));
  }
}

TEST_F(EnergyPass, ProgressKnowsItsLength) {
  double before = 0, after = 0;
  options.workloads = {"load", "energy"};
  bench(options, lab, [&](const ProgressEvent& event) {
    if (event.doing.find("energy of") != std::string::npos) before = event.share;
    after = event.share;
  });
  EXPECT_LT(before, 0.2);
  EXPECT_NEAR(after, 1, 1e-9);
}

}  // namespace
}  // namespace inferometer::campaign
