// SPDX-License-Identifier: Apache-2.0
#include "process/block.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "process/fake_runner.hpp"

namespace inferometer::process {
namespace {

struct Batch {
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  std::int64_t k = 3;
  std::vector<float> y = std::vector<float>(8);
  std::vector<View> inputs() { return {View(x.data(), {2, 4}), View(&k, {})}; }
  std::vector<View> outputs() { return {View(y.data(), {2, 4})}; }
  std::vector<float> expected() const { return {3, 6, 9, 12, 15, 18, 21, 24}; }
};

TEST(BlockLoop, OneInFlightTimesEveryBatch) {
  FakeRunner runner;
  Batch batch;
  BlockLoop loop(runner, batch.inputs(), batch.outputs(), 1);
  const BlockReport report = loop.run(5, Poison::Off);
  EXPECT_EQ(runner.calls, 5);
  EXPECT_EQ(report.timings_ns.size(), 5u);
  EXPECT_EQ(report.batches, 5);
  EXPECT_EQ(report.samples, 10);
  std::int64_t sum = 0;
  for (const std::int64_t timing : report.timings_ns) sum += timing;
  EXPECT_EQ(report.wall_ns, sum);
  EXPECT_EQ(batch.y, batch.expected());
}

TEST(BlockLoop, SeveralInFlightAreHandedOverTogether) {
  FakeRunner runner;
  Batch batch;
  BlockLoop loop(runner, batch.inputs(), batch.outputs(), 3);
  std::size_t rows = 0;
  const BlockReport report = loop.run(6, Poison::On);
  rows = static_cast<std::size_t>(report.samples);
  EXPECT_EQ(runner.calls, 1);
  EXPECT_EQ(rows, 12u);
  EXPECT_EQ(report.timings_ns, std::vector<std::int64_t>{report.wall_ns});
  EXPECT_EQ(batch.y, batch.expected()) << "the last batch is kept";
  loop.run(2, Poison::Off);
  EXPECT_EQ(batch.y, batch.expected());
}

TEST(BlockLoop, PoisonShowsOutputsThatWereNotWritten) {
  FakeRunner runner;
  Batch batch;
  BlockLoop loop(runner, batch.inputs(), batch.outputs(), 1);
  bool poisoned = false;
  runner.before_run = [&](const std::stop_token&) { poisoned = std::isnan(batch.y[7]); };
  loop.run(1, Poison::Off);
  EXPECT_FALSE(poisoned);
  loop.run(1, Poison::On);
  EXPECT_TRUE(poisoned);
}

TEST(BlockLoop, DataDependentShapesAreLeftToTheRunner) {
  FakeRunner runner(FakeRunner::Outputs::DataDependent);
  Batch batch;
  BlockLoop loop(runner, batch.inputs(), {}, 1);
  EXPECT_EQ(loop.run(2, Poison::On).timings_ns.size(), 2u);
}

TEST(BlockLoop, RefusesWhatDoesNotFit) {
  FakeRunner runner;
  Batch batch;
  EXPECT_THROW(BlockLoop(runner, {View(batch.x.data(), {2, 4})}, {}, 1), Error);
  BlockLoop loop(runner, batch.inputs(), batch.outputs(), 1);
  EXPECT_THROW(loop.run(0, Poison::Off), Error);
  EXPECT_THROW(loop.run(kMaxBlockBatches + 1, Poison::Off), Error);
}

}  // namespace
}  // namespace inferometer::process
