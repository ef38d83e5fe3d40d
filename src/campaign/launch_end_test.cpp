// SPDX-License-Identifier: Apache-2.0
// What stands at a launch's end, and what outcomes make of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "campaign/fake_journal.hpp"
#include "campaign/overhead.hpp"
#include "campaign/summary.hpp"

namespace inferometer::campaign {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kMs = 1'000'000;

struct LaunchEnds : testing::Test {
  FakeLab lab;
  BenchOptions options = small_bench();

  LaunchEnds() {
    options.workloads = {"throughput"};
    lab.machine_state = {{"steal_ns", 0}, {"page_faults", 100}};
    // Every reading of the state comes two steps of steal after the one before.
    lab.on_event = [this](const std::string& event) {
      if (event == "state") lab.machine_state["steal_ns"] = 2 * lab.count("state");
    };
  }
  measure::Outcome first(const Journal& journal) const { return summarise(journal).front(); }
  Journal journal() { return parse_journal(journal_text(lab, options), "j.jsonl"); }
};

TEST_F(LaunchEnds, StandBehindTheRoundsAndPassesOfEveryLaunch) {
  options.workloads = default_workloads();
  options.launches = 2;
  const auto lines = lines_of(journal_text(lab, options));
  const auto launches = places_of(lines, "launch"), ends = places_of(lines, "launch_end"),
             rounds = places_of(lines, "round");
  ASSERT_EQ(launches.size(), 2u);
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_LT(ends[0], launches[1]);
  for (const auto round : rounds) {
    const auto of = static_cast<std::size_t>(lines[round].at("launch").get<int>() - 1);
    EXPECT_GT(round, launches[of]);
    EXPECT_LT(round, ends[of]);
  }
  EXPECT_EQ(lines[ends[0]].at("group"), lines[launches[0]].at("group"));
  EXPECT_EQ(lines[launches[1]].at("state").at("steal_ns"), 6);
  EXPECT_EQ(lines[ends[1]].at("state").at("steal_ns"), 8);
}

TEST_F(LaunchEnds, GiveEveryOutcomeTheMachineBeforeAndAfter) {
  options.launches = 2;
  options.workloads = default_workloads();
  const auto journal = this->journal();
  for (const auto& outcome : summarise(journal)) {
    const auto& print = outcome.values.at("fingerprint");
    EXPECT_EQ(print.at("machine_id"), journal.header.fingerprint.at("machine_id"));
    EXPECT_EQ(print.at("machine"), lab.machine());
    EXPECT_EQ(print.at("before").at("steal_ns"), 2);
    const bool once = outcome.cell.workload == "memory";
    EXPECT_EQ(print.at("after").at("steal_ns"), once ? 4 : 8);
    EXPECT_EQ(print.at("change").at("steal_ns"), once ? 2 : 4) << "between launches it is not ours";
  }
}

TEST_F(LaunchEnds, TellWhatMeasuringItselfTook) {
  lab.parent_cpus = 0.01;
  lab.canary_takes_ns = 4 * kMs;
  const auto outcome = first(journal());
  EXPECT_NEAR(outcome.values.at("parent_cpu_share").get<double>(), 0.01, 1e-6);
  // Blocks of 60 ms of two engines, and the canary.
  EXPECT_NEAR(outcome.values.at("canary_share").get<double>(), 4.0 / 124, 1e-4);
  EXPECT_THAT(outcome.warnings, Not(Contains(HasSubstr("Inferometer itself"))));
  EXPECT_THAT(outcome.warnings, Not(Contains(HasSubstr("the canary took"))));
}

TEST_F(LaunchEnds, WarnWhereMeasuringTookTooMuch) {
  lab.parent_cpus = 0.03;
  lab.canary_takes_ns = 20 * kMs;
  const auto outcome = first(journal());
  EXPECT_THAT(outcome.warnings, Contains(HasSubstr("Inferometer itself used 3.0 % of a CPU")));
  EXPECT_THAT(outcome.warnings, Contains(HasSubstr("the canary took 14.3 % of the rounds")));
}

TEST_F(LaunchEnds, TheWorstLaunchSpeaks) {
  auto lines = lines_of(journal_text(lab, options));
  options.launches = 2;
  lines = lines_of(journal_text(lab, options));
  const auto ends = places_of(lines, "launch_end");
  lines[ends[0]]["parent_cpu_share"] = 0.5;
  lines[ends[1]]["canary_share"] = 0.25;
  const auto outcome = first(parse_journal(text_of(lines), "j"));
  EXPECT_EQ(outcome.values.at("parent_cpu_share"), 0.5);
  EXPECT_EQ(outcome.values.at("canary_share"), 0.25);
}

TEST_F(LaunchEnds, AKilledLaunchSaysSo) {
  auto lines = lines_of(journal_text(lab, options));
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(places_of(lines, "launch_end").front()));
  const auto outcome = first(parse_journal(text_of(lines), "j"));
  EXPECT_EQ(outcome.status, Status::Ok) << "every round is there";
  EXPECT_THAT(outcome.values.at("fingerprint").at("after").get<std::string>(),
              HasSubstr("unavailable: the launch was killed"));
  for (const std::string key : {"parent_cpu_share", "canary_share"}) {
    EXPECT_TRUE(outcome.values.at(key).is_null());
    EXPECT_THAT(outcome.values.at(key + "_why").get<std::string>(), HasSubstr("killed"));
  }
  EXPECT_NO_THROW(measure::outcome_from_json(measure::to_json(outcome)));
}

TEST_F(LaunchEnds, AnInterruptedLaunchHasOneToo) {
  const ScratchFile file("interrupted.jsonl");
  options.journal = file.path;
  std::stop_source stop;
  lab.on_event = [&](const std::string& event) {
    if (event == "canary" && lab.count(event) == 3) stop.request_stop();
  };
  EXPECT_TRUE(bench(options, lab, {}, stop.get_token()).interrupted);
  const auto journal = read_journal(file.path);
  EXPECT_EQ(journal.rounds.size(), 2u);
  ASSERT_EQ(journal.ends.size(), 1u);
  EXPECT_TRUE(journal.ends[0].parent_cpu_share.has_value());
}

TEST_F(LaunchEnds, WithoutRoundsThereAreNoShares) {
  options.workloads = {"load"};
  const auto journal = this->journal();
  ASSERT_EQ(journal.ends.size(), 1u);
  EXPECT_FALSE(journal.ends[0].parent_cpu_share);
  EXPECT_FALSE(journal.ends[0].canary_share);
  EXPECT_FALSE(first(journal).values.contains("parent_cpu_share"));
}

TEST_F(LaunchEnds, AFailureHasItsMachineToo) {
  lab.scripts["fast"].at_load = Error(Status::Crashed, "signal 11");
  lab.scripts["reference"].available = false;
  options.engines = {"slow", "fast", "reference"};
  for (const auto& outcome : summarise(journal()))
    EXPECT_EQ(outcome.values.at("fingerprint").at("machine"), lab.machine()) << outcome.reason;
}

TEST(Overhead, CountsFromTheEndOfTheFirstCanary) {
  FakeLab lab;
  lab.parent_cpus = 0.5;
  lab.canary_takes_ns = 10 * kMs;
  Overhead overhead(lab);
  lab.clock_ns = 900 * kMs;  // warming up
  overhead.canary({0}, kMs);
  EXPECT_FALSE(overhead.parent_cpu_share()) << "no round has ended";
  EXPECT_FALSE(overhead.canary_share());
  lab.clock_ns += 90 * kMs;
  overhead.canary({0}, kMs);
  EXPECT_NEAR(*overhead.canary_share(), 0.1, 1e-9);
  EXPECT_NEAR(*overhead.parent_cpu_share(), 0.5, 1e-6);
}

}  // namespace
}  // namespace inferometer::campaign
