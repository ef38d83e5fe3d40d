// SPDX-License-Identifier: Apache-2.0
// Workload rate on the fake lab, whose engines are queues.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "campaign/bench.hpp"
#include "campaign/fake_lab.hpp"
#include "campaign/summary.hpp"

namespace inferometer::campaign {
namespace {

using testing::HasSubstr;

class Rate : public testing::Test {
 protected:
  Rate() {
    options.models = {"m.onnx"};
    options.engines = {"fast"};
    options.workloads = {"rate"};
    options.latency_bound = measure::latency_bound(4, 90);  // of batches of 1 ms
  }

  const Json& values() {
    result = bench(options, lab, {}, stop.get_token());
    EXPECT_EQ(result.outcomes.at(0).status, Status::Ok) << result.outcomes[0].reason;
    return result.outcomes[0].values;
  }
  static double number(const Json& values, const char* key) { return values.at(key).get<double>(); }

  FakeLab lab;
  BenchOptions options;
  std::stop_source stop;
  BenchResult result;
};

TEST_F(Rate, IsThatOfTheQueue) {
  const auto& found = values();
  EXPECT_NEAR(number(found, "rate_capacity_per_s"), 1000, 1);
  // p90 of M/D/1 reaches 4 services at 0.694 of its capacity (Erlang).
  EXPECT_NEAR(number(found, "rate_within_bound_per_s"), 660, 60);
  EXPECT_EQ(found.at("rate_within_bound_samples_per_s"), found.at("rate_within_bound_per_s"));
  EXPECT_LT(number(found, "rate_fails_per_s"), 1.05 * number(found, "rate_within_bound_per_s"));
  EXPECT_GT(number(found, "rate_fails_per_s"), number(found, "rate_within_bound_per_s"));
  EXPECT_LE(number(found, "rate_latency_p90_ns"), 4e6);
  EXPECT_EQ(found.at("rate_bound_ns"), 4'000'000);
  EXPECT_EQ(found.at("rate_percentile"), 90);
  EXPECT_EQ(found.at("rate_trials").size(), 6u);
  EXPECT_EQ(lab.count("open fast"), 6);
  EXPECT_EQ(lab.count("load fast"), 2) << "to be checked, and a process of its own";
  EXPECT_EQ(lab.alive, 0);
}

TEST_F(Rate, TellsTheNoiseOfTheMachine) {
  lab.on_event = [&](const std::string& event) {
    if (event == "canary") {
      EXPECT_EQ(lab.running, 0);
    }
  };
  EXPECT_EQ(values().at("noise_verdict"), "fit");
  EXPECT_EQ(values().at("canary_fma_ns"), 2'000'000);
  EXPECT_EQ(lab.count("canary"), 2 * 7) << "before the first and after each of six trials";
  EXPECT_EQ(result.outcomes[0].warnings, std::vector<std::string>{});
  options.latency_bound = measure::latency_bound(0.5, 90);
  EXPECT_EQ(values().at("noise_verdict"), "fit") << "five readings";
  lab.on_event = [&](const std::string& event) {
    if (event == "canary") lab.canary_burst_ns += 1'000'000;
  };
  EXPECT_EQ(values().at("noise_verdict"), "unfit");
  EXPECT_THAT(result.outcomes[0].warnings, testing::Contains(HasSubstr("unfit: canary spread")));
}

TEST_F(Rate, RowsOfABatchAreCountedAsSamples) {
  options.batch_sizes = {4};
  options.latency_bound = measure::latency_bound(16, 90);
  const auto& found = values();
  EXPECT_NEAR(number(found, "rate_capacity_per_s"), 250, 1);
  EXPECT_DOUBLE_EQ(number(found, "rate_within_bound_samples_per_s"),
                   4 * number(found, "rate_within_bound_per_s"));
}

TEST_F(Rate, StallsLowerItByMoreThanTheyTake) {
  lab.scripts["fast"].stall_every = 200;
  const auto& found = values();
  // Stalls take a fifth of the time, and those who come meanwhile wait.
  EXPECT_LT(number(found, "rate_within_bound_per_s"), 0.6 * 660);
  EXPECT_GT(number(found, "rate_latency_p99_ns"), 20e6)
      << "one run in 200 is slow, many requests are";
}

TEST_F(Rate, ABoundThatNobodyCanKeepIsNullWithTheNearestFigure) {
  options.latency_bound = measure::latency_bound(0.5, 90);
  const auto& found = values();
  EXPECT_TRUE(found.at("rate_within_bound_per_s").is_null());
  EXPECT_THAT(found.at("rate_within_bound_per_s_why").get<std::string>(),
              HasSubstr("the fastest took 1 ms"));
  EXPECT_NEAR(number(found, "rate_fails_per_s"), 125, 1);
  for (const auto& trial : found.at("rate_trials"))
    EXPECT_LT(trial.at("arrivals"), 250) << "given up as hopeless";
}

TEST_F(Rate, IsTheCapacityWhenTheBoundIsAboveEverything) {
  options.latency_bound = measure::latency_bound(3.6e6, 99);
  EXPECT_NEAR(number(values(), "rate_within_bound_per_s"), 1000, 40);
}

TEST_F(Rate, AStopBetweenTrialsLeavesTheCellForAResume) {
  options.journal = std::filesystem::temp_directory_path() /
                    ("inferometer_rate_" + std::to_string(::getpid()) + ".jsonl");
  std::filesystem::remove(options.journal);
  lab.on_event = [&](const std::string& event) {
    if (event == "open fast" && lab.count(event) == 3) stop.request_stop();
  };
  result = bench(options, lab, {}, stop.get_token());
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.outcomes.at(0).status, Status::Skipped);
  EXPECT_EQ(lab.count("open fast"), 3);
  stop = {};
  options.resume = true;
  EXPECT_FALSE(values().at("rate_within_bound_per_s").is_null());
  EXPECT_EQ(measure::to_json(summarise(read_journal(options.journal)).at(0)),
            measure::to_json(result.outcomes[0]));
  std::filesystem::remove(options.journal);
}

TEST_F(Rate, ACrashIsAFailureOfThisCellAlone) {
  options.workloads = {"load", "rate"};
  lab.scripts["fast"].at_open_loop = Error(Status::Crashed, "signal 9");
  result = bench(options, lab, {});
  EXPECT_EQ(result.outcomes.at(0).status, Status::Ok);
  EXPECT_EQ(result.outcomes.at(1).status, Status::Crashed);
  EXPECT_EQ(result.outcomes[1].stage, "measure");
  EXPECT_THAT(result.outcomes[1].rerun, HasSubstr("--latency-bound-ms 4 --latency-percentile 90"));
}

TEST_F(Rate, ABoundThatOneLaunchCouldNotKeepIsNotKept) {
  options.launches = 2;
  lab.on_event = [&](const std::string& event) {
    if (event == "load fast" && lab.count(event) == 3) lab.scripts["fast"].row_ns = 10'000'000;
  };
  const auto& found = values();
  EXPECT_EQ(found.at("launches"), 2);
  EXPECT_TRUE(found.at("rate_within_bound_per_s").is_null());
  EXPECT_THAT(found.at("rate_within_bound_per_s_why").get<std::string>(), HasSubstr("fastest"));
  EXPECT_FALSE(found.contains("rate_latency_p90_ns"));
  EXPECT_FALSE(found.contains("rate_within_bound_samples_per_s"));
  measure::outcome_from_json(measure::to_json(result.outcomes[0]));  // throws for a stray reason
}

TEST_F(Rate, IsNotAmongTheUsualWorkloads) {
  EXPECT_THAT(default_workloads(), testing::Not(testing::Contains("rate")));
  EXPECT_EQ(BenchOptions{}.workloads, default_workloads());
  EXPECT_EQ(RunOptions{}.workloads, default_workloads());
}

}  // namespace
}  // namespace inferometer::campaign
