// SPDX-License-Identifier: Apache-2.0
#include "process/open_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <mutex>
#include <set>

#include "process/fake_runner.hpp"
#include "process/protocol.hpp"

namespace inferometer::process {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::Ge;
using ::testing::HasSubstr;

constexpr std::int64_t kMs = 1'000'000;

struct Batch {
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  std::int64_t k = 3;
  std::vector<float> y = std::vector<float>(8);
  std::vector<View> inputs() { return {View(x.data(), {2, 4}), View(&k, {})}; }
  std::vector<View> outputs() { return {View(y.data(), {2, 4})}; }
};

/// Time that only a sleeper or the model moves on; for one executor.
struct FakeTime {
  std::int64_t now = 5'000 * kMs;
  Clock clock() {
    return {[this] { return now; }, [this](std::int64_t until) { now = std::max(now, until); }};
  }
};

OpenLoopReport serve(core::Runner& runner, std::int64_t executors,
                     const std::vector<std::int64_t>& arrivals, const GiveUp& give_up = {},
                     const Clock& clock = monotonic_clock()) {
  Batch batch;
  return serve_arrivals(runner, batch.inputs(), batch.outputs(), executors, arrivals, give_up,
                        clock);
}

std::vector<std::int64_t> every(std::int64_t gap_ns, std::size_t count) {
  std::vector<std::int64_t> arrivals;
  for (std::size_t i = 0; i < count; ++i) arrivals.push_back(static_cast<std::int64_t>(i) * gap_ns);
  return arrivals;
}

TEST(OpenLoop, AStallRaisesTheLatencyOfEverybodyBehindIt) {
  FakeRunner runner;
  FakeTime time;
  runner.before_run = [&](const std::stop_token&) {
    time.now += runner.calls == 1 + 11 ? 50 * kMs : kMs;  // the first call warms up
  };
  const auto arrivals = every(2 * kMs, 60);
  const auto report = serve(runner, 1, arrivals, {}, time.clock());
  ASSERT_EQ(report.served.size(), 60u);
  for (std::size_t i = 0; i < 60; ++i) {
    const auto latency = report.served[i].end_ns - arrivals[i];
    const auto service = report.served[i].end_ns - report.served[i].start_ns;
    EXPECT_EQ(service, i == 10 ? 50 * kMs : kMs) << i;
    // The backlog of 48 ms shrinks by 1 ms with every request. What a closed loop sees, the
    // service, tells of one slow request only.
    const auto behind = static_cast<std::int64_t>(i) - 10;
    const auto late = behind < 0 ? 0 : std::max<std::int64_t>(0, 49 - behind) * kMs;
    EXPECT_EQ(latency, kMs + late) << i;
  }
}

TEST(OpenLoop, NobodyStartsBeforeItsTimeOrOutOfTurn) {
  FakeRunner runner;
  const auto arrivals = every(kMs / 10, 50);
  const auto report = serve(runner, 1, arrivals);
  ASSERT_EQ(report.served.size(), 50u);
  EXPECT_EQ(runner.calls, 51);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_GE(report.served[i].start_ns, arrivals[i]);
    EXPECT_GE(report.served[i].end_ns, report.served[i].start_ns);
    if (i > 0) {
      EXPECT_GE(report.served[i].start_ns, report.served[i - 1].end_ns);
    }
  }
  EXPECT_GT(report.cpu_ns, 0);
}

/// Calls wait for each other in twos; which memory they write is kept.
struct PairedRunner : FakeRunner {
  void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                    std::stop_token stop) override {
    {
      const std::lock_guard lock(mutex);
      written.insert(outputs[0].data);
    }
    both.arrive_and_wait();
    FakeRunner::predict_into(inputs, outputs, stop);
  }
  std::barrier<> both{2};
  std::mutex mutex;
  std::set<const void*> written;
};

TEST(OpenLoop, ExecutorsWorkAtOnceWithOutputsOfTheirOwn) {
  PairedRunner runner;
  Batch batch;
  const auto outputs = batch.outputs();
  const auto report = serve_arrivals(runner, batch.inputs(), outputs, 2, every(0, 20), {});
  EXPECT_EQ(report.served.size(), 20u);
  EXPECT_EQ(runner.written.size(), 2u);
  EXPECT_FALSE(runner.written.contains(outputs[0].data));
}

TEST(OpenLoop, IsGivenUpWhenTooManyTookTooLong) {
  FakeRunner runner;
  FakeTime time;
  runner.before_run = [&](const std::stop_token&) { time.now += 3 * kMs; };
  // Latencies 3, 4, 5, ... ms.
  const auto arrivals = every(2 * kMs, 60);
  EXPECT_EQ(serve(runner, 1, arrivals, {6 * kMs, 0}, time.clock()).served.size(), 5u);
  EXPECT_EQ(serve(runner, 1, arrivals, {6 * kMs, 2}, time.clock()).served.size(), 7u);
  EXPECT_EQ(serve(runner, 1, arrivals, {6 * kMs, 56}, time.clock()).served.size(), 60u);
}

TEST(OpenLoop, ThrowsWhatTheModelThrows) {
  for (const int call : {1, 2, 7}) {
    FakeRunner runner;
    runner.before_run = [&](const std::stop_token&) {
      if (runner.calls >= call) throw Error(Status::PredictFailed, "as asked for");
    };
    try {
      serve(runner, 2, every(0, 1000));
      ADD_FAILURE() << call;
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "as asked for");
    }
    EXPECT_LT(runner.calls, 1000) << "the others end too";
  }
}

TEST(OpenLoop, DataDependentShapesAreLeftToTheRunner) {
  FakeRunner runner(FakeRunner::Outputs::DataDependent);
  Batch batch;
  const auto report = serve_arrivals(runner, batch.inputs(), {}, 1, every(0, 3), {});
  EXPECT_THAT(report.served, Each(Field(&Served::end_ns, Ge(0))));
  EXPECT_EQ(runner.calls, 4);
}

TEST(OpenLoop, RefusesArrivalsThatMakeNoSense) {
  FakeRunner runner;
  const std::vector<std::pair<std::vector<std::int64_t>, const char*>> bad = {
      {{}, "0 arrivals"},
      {std::vector<std::int64_t>(kMaxArrivals + 1), "1000001 arrivals"},
      {{2, 1}, "ascending"},
      {{-1, 1}, "from -1"},
      {{0, kMaxArrivalNs + 1}, "to 1000000000000001"}};
  for (const auto& [arrivals, text] : bad) {
    try {
      serve(runner, 1, arrivals);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  }
  EXPECT_EQ(runner.calls, 0);
}

}  // namespace
}  // namespace inferometer::process
