// SPDX-License-Identifier: Apache-2.0
#include "measure/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "measure/outcome.hpp"
#include "measure/statistics.hpp"
#include "measure/timings.hpp"

namespace inferometer::measure {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kMs = 1'000'000;

// A machine without time of its own: blocks move the clock.
struct Bench {
  std::int64_t now_ns = 0;
  std::vector<std::string> events;
  std::vector<RoundRecord> rounds;
  std::int64_t canary_ns = 2 * kMs;

  ScheduleHooks hooks() {
    return {.now_ns = [this] { return now_ns; },
            .canary =
                [this] {
                  events.push_back("canary");
                  return CanaryReading{canary_ns, canary_ns};
                },
            .on_round =
                [this](const RoundRecord& round) {
                  events.push_back("round");
                  rounds.push_back(round);
                }};
  }
};

class FakeSubject : public Subject {
 public:
  FakeSubject(Bench& bench, std::string name, std::int64_t batch_ns)
      : bench_(bench), name_(std::move(name)), batch_ns_(batch_ns) {}

  BlockTimings run_block(std::int64_t batches) override {
    EXPECT_TRUE(running) << name_;
    bench_.events.push_back(name_);
    if (before_block) before_block();
    BlockTimings block{.samples = batches * 4, .batches = batches};
    for (std::int64_t i = 0; i < batches; ++i) block.timings_ns.push_back(batch_ns_);
    block.wall_ns = batches * batch_ns_;
    bench_.now_ns += block.wall_ns;
    blocks.push_back(batches);
    return block;
  }
  void resume() override {
    EXPECT_FALSE(running);
    running = true;
  }
  void pause() override { running = false; }

  bool running = false;
  std::vector<std::int64_t> blocks;
  std::function<void()> before_block;

 private:
  Bench& bench_;
  std::string name_;
  std::int64_t batch_ns_;
};

class ScheduleTest : public ::testing::Test {
 protected:
  ScheduleResult run(const ScheduleOptions& options = {}, std::stop_token stop = {}) {
    const std::vector<Subject*> subjects = {&control_, &fast_, &slow_};
    auto result = run_schedule(subjects, options, bench_.hooks(), std::move(stop));
    for (const auto* each : {&control_, &fast_, &slow_}) EXPECT_FALSE(each->running);
    return result;
  }
  Bench bench_;
  FakeSubject control_{bench_, "control", 10 * kMs};
  FakeSubject fast_{bench_, "fast", 1 * kMs};
  FakeSubject slow_{bench_, "slow", 900 * kMs};
};

TEST(Schedule, OrdersAreSeededPermutationsThatFavourNobody) {
  std::map<std::size_t, int> first;
  std::set<std::vector<std::size_t>> orders;
  for (std::int64_t round = 1; round <= 3000; ++round) {
    const auto order = round_order(3, 1, round);
    EXPECT_EQ(order, round_order(3, 1, round));
    orders.insert(order);
    ++first[order[0]];
  }
  EXPECT_EQ(orders.size(), 6u);
  for (const auto& [cell, count] : first) EXPECT_NEAR(count, 1000, 100) << cell;
  int different = 0;
  for (std::int64_t round = 1; round <= 100; ++round)
    different += round_order(3, 1, round) != round_order(3, 2, round);
  EXPECT_GT(different, 50);
  EXPECT_THAT(round_order(4, 7, 1), ::testing::UnorderedElementsAre(0, 1, 2, 3));
}

TEST(Schedule, BlocksAreWholeBatchesAtLeastOne) {
  EXPECT_EQ(batches_per_block(1 * kMs, 60 * kMs), 60);
  EXPECT_EQ(batches_per_block(45 * kMs, 60 * kMs), 1);
  EXPECT_EQ(batches_per_block(39 * kMs, 60 * kMs), 2);
  EXPECT_EQ(batches_per_block(900 * kMs, 60 * kMs), 1);
  EXPECT_EQ(batches_per_block(0, 60 * kMs), 1);
}

TEST_F(ScheduleTest, WarmsUpThenRunsWholeRoundsBetweenCanaries) {
  const auto result = run({.rounds = 4});
  EXPECT_EQ(result.rounds, 4);
  EXPECT_THAT(result.batches, ElementsAre(6, 60, 1));
  EXPECT_EQ(result.canary.size(), 5u);
  // 0.5 s of warm-up, or three batches, whichever is longer; then one block a round.
  EXPECT_EQ(control_.blocks.size(), 50u + 4);
  EXPECT_EQ(fast_.blocks.size(), 500u + 4);
  EXPECT_THAT(slow_.blocks, ElementsAre(1, 1, 1, 1, 1, 1, 1));
  ASSERT_EQ(bench_.rounds.size(), 4u);
  for (const auto& round : bench_.rounds) {
    EXPECT_FALSE(round.rejected);
    std::vector<std::size_t> order;
    for (const auto& block : round.blocks) order.push_back(block.subject);
    EXPECT_EQ(order, round_order(3, 1, round.round));
    for (const auto& block : round.blocks) EXPECT_FALSE(block.block.timings_ns.empty());
  }
  const std::vector<std::string> tail(bench_.events.end() - 5, bench_.events.end());
  EXPECT_EQ(tail[3], "canary");
  EXPECT_EQ(tail[4], "round");
}

TEST_F(ScheduleTest, ARoundInWhichTheMachineChangedIsRejectedButKept) {
  int calls = 0;
  slow_.before_block = [&] {
    if (++calls == 5) bench_.canary_ns = 4 * kMs;  // its second round
  };
  const auto result = run({.rounds = 4});
  ASSERT_EQ(bench_.rounds.size(), 4u);
  EXPECT_FALSE(bench_.rounds[0].rejected);
  EXPECT_TRUE(bench_.rounds[1].rejected);
  EXPECT_EQ(bench_.rounds[1].blocks.size(), 3u);
  EXPECT_FALSE(bench_.rounds[2].rejected);
  EXPECT_EQ(result.rounds, 4);
}

TEST_F(ScheduleTest, ShortRoundsShareACanaryAndItsVerdict) {
  int calls = 0;
  slow_.before_block = [&] {
    if (++calls == 3 + 4) bench_.canary_ns = 4 * kMs;  // its fourth round
  };
  const auto result = run({.rounds = 7, .rounds_per_canary = 3});
  EXPECT_EQ(result.rounds, 7);
  EXPECT_EQ(result.canary.size(), 4u) << "before, after three, six and seven";
  ASSERT_EQ(bench_.rounds.size(), 7u);
  for (const auto& round : bench_.rounds) {
    EXPECT_EQ(round.rejected, round.round >= 4 && round.round <= 6) << round.round;
    EXPECT_EQ(round.before.has_value(), (round.round - 1) % 3 == 0) << round.round;
    EXPECT_EQ(round.after.has_value(), round.round % 3 == 0 || round.round == 7) << round.round;
  }
}

TEST_F(ScheduleTest, AStopTellsTheWholeRoundsThatWaitForTheirCanary) {
  std::stop_source stop;
  int calls = 0;
  slow_.before_block = [&] {
    if (++calls == 3 + 5) stop.request_stop();
  };
  const auto result = run({.rounds = 7, .rounds_per_canary = 3}, stop.get_token());
  EXPECT_TRUE(result.stopped);
  ASSERT_GE(bench_.rounds.size(), 4u);
  EXPECT_FALSE(bench_.rounds[3].after);
}

TEST_F(ScheduleTest, WithoutACanaryNothingIsRejected) {
  auto hooks = bench_.hooks();
  hooks.canary = nullptr;
  const std::vector<Subject*> subjects = {&control_, &fast_};
  const auto result = run_schedule(subjects, {.rounds = 2}, hooks);
  EXPECT_EQ(result.rounds, 2);
  EXPECT_TRUE(result.canary.empty());
  EXPECT_FALSE(bench_.rounds[0].before);
}

TEST_F(ScheduleTest, ACellThatDiesIsLeftOutOfLaterRounds) {
  int calls = 0;
  fast_.before_block = [&] {
    if (++calls == 502) throw std::runtime_error("signal 11");  // its second round
  };
  const auto result = run({.rounds = 4});
  EXPECT_EQ(result.rounds, 4);
  EXPECT_TRUE(result.failures[1]);
  EXPECT_FALSE(result.failures[0]);
  ASSERT_EQ(bench_.rounds.size(), 4u);
  EXPECT_EQ(bench_.rounds[0].blocks.size(), 3u);
  EXPECT_EQ(bench_.rounds[1].blocks.size(), 3u);
  int failed = 0;
  for (const auto& block : bench_.rounds[1].blocks) failed += block.failure != nullptr;
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(bench_.rounds[2].blocks.size(), 2u);
}

TEST_F(ScheduleTest, WithoutItsControlTheOthersGoOn) {
  control_.before_block = [] { throw std::runtime_error("out of memory"); };
  const auto result = run({.rounds = 4});
  EXPECT_EQ(result.rounds, 4);
  EXPECT_TRUE(result.failures[0]);
  EXPECT_FALSE(result.stopped);
  for (const auto& round : bench_.rounds) EXPECT_EQ(round.blocks.size(), 2u);
}

TEST_F(ScheduleTest, WithoutAnyCellTheRoundsEnd) {
  for (auto* subject : {&control_, &fast_, &slow_})
    subject->before_block = [] { throw std::runtime_error("out of memory"); };
  EXPECT_EQ(run({.rounds = 4}).rounds, 0);
}

TEST_F(ScheduleTest, AStopRequestLeavesOnlyWholeRounds) {
  std::stop_source stop;
  int calls = 0;
  slow_.before_block = [&] {
    if (++calls == 6) stop.request_stop();  // its third round
  };
  const auto result = run({.rounds = 10}, stop.get_token());
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.rounds, static_cast<std::int64_t>(bench_.rounds.size()));
  EXPECT_GE(result.rounds, 2);
  EXPECT_LE(result.rounds, 3);
  for (const auto& round : bench_.rounds) EXPECT_EQ(round.blocks.size(), 3u);
}

TEST_F(ScheduleTest, AStopRequestEndsWarmUpToo) {
  std::stop_source stop;
  control_.before_block = [&] { stop.request_stop(); };
  const auto result = run({.rounds = 3}, stop.get_token());
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(control_.blocks.size(), 1u);
  EXPECT_TRUE(bench_.rounds.empty());
}

// The reason for interleaving, on a simulated machine whose mood wanders: the same data read as if
// one cell had been measured after the other is several times worse.
TEST(Schedule, InterleavingBeatsSequentialOnTheSameData) {
  std::uint64_t state = 12345;
  const auto noise = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 11) * 0x1p-53 - 0.5;
  };
  std::vector<double> interleaved, sequential;
  for (int trial = 0; trial < 200; ++trial) {
    double mood = 0;
    std::vector<double> a, b;
    for (int round = 0; round < 20; ++round) {
      mood = 0.95 * mood + 0.2 * noise();
      a.push_back(std::exp(mood + 0.02 * noise()));
      b.push_back(std::exp(mood + 0.02 * noise()));
    }
    interleaved.push_back(median(log_ratios(a, b)));
    const std::span first(a.data(), 10), second(b.data() + 10, 10);
    sequential.push_back(std::log(median(first) / median(second)));
  }
  EXPECT_LT(root_mean_square(interleaved), root_mean_square(sequential) / 3);
}

TEST(Timings, RatesPerBlockNeverPooled) {
  std::vector<BlockTimings> blocks;
  for (const std::int64_t wall_ms : {10, 20, 40})
    blocks.push_back({.wall_ns = wall_ms * kMs, .samples = 8, .batches = 2});
  Json values = Json::object();
  put_throughput(values, blocks);
  EXPECT_DOUBLE_EQ(values["throughput_samples_per_s"], 400);
  EXPECT_DOUBLE_EQ(values["throughput_mean_samples_per_s"], 24e9 / 70e6);
  EXPECT_DOUBLE_EQ(values["throughput_uncontended_samples_per_s"], 8e9 / 12e6);
  EXPECT_DOUBLE_EQ(values["batch_time_ns"], 10e6);
  EXPECT_EQ(values["samples"], 24);
  EXPECT_EQ(values["batches"], 6);
  EXPECT_EQ(values["rounds"], 3);
  for (const auto& [key, value] : values.items()) EXPECT_EQ(field(key).key, key);
}

TEST(Timings, LatencyWithReasons) {
  std::vector<std::int64_t> timings;
  for (int i = 1; i <= 50; ++i) timings.push_back(i * 1000LL);
  Json values = Json::object();
  put_latency(values, timings);
  EXPECT_EQ(values["latency_min_ns"], 1000);
  EXPECT_EQ(values["latency_max_ns"], 50000);
  EXPECT_DOUBLE_EQ(values["latency_mean_ns"], 25500);
  EXPECT_EQ(values["latency_p50_ns"], 25000);
  EXPECT_EQ(values["latency_p90_ns"], 45000);
  EXPECT_TRUE(values["latency_p95_ns"].is_null());
  EXPECT_EQ(values["latency_p95_ns_why"], "p95 needs 90 timings, has 50");
  EXPECT_EQ(values["latency_timings"], 50);
  Json none = Json::object();
  put_latency(none, {});
  EXPECT_FALSE(none.contains("latency_min_ns"));
  EXPECT_TRUE(none["latency_p50_ns"].is_null());
}

}  // namespace
}  // namespace inferometer::measure
