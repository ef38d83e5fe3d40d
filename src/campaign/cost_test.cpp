// SPDX-License-Identifier: Apache-2.0
#include "campaign/cost.hpp"

#include <gtest/gtest.h>

#include "campaign/session.hpp"

namespace inferometer::campaign {
namespace {

measure::Cell cell(const std::string& model, const std::string& engine, std::int64_t batch,
                   Params more = {}) {
  more.insert_or_assign("batch_size", batch);
  return {model, engine, engine, std::move(more), ""};
}

class Cost : public testing::Test {
 protected:
  const std::map<std::string, ModelFacts> models = {
      {"small", {.macs = 1'000'000'000, .parameters = 1'000'000, .activation_bytes = 1 << 20}},
      {"large",
       {.inputs = {{"x", DType::F32, {{-1, "N"}, {3, ""}, {4, ""}}, 0}},
        .macs = 10'000'000'000,
        .parameters = 100'000'000,
        .activation_bytes = 16 << 20}},
      {"unread", {}}};
  MachineProfile profile{.compute = {{DType::F32, 1, "", 1e11, 0}, {DType::F32, 4, "", 4e11, 0}},
                         .engines = {{.engine = "fast", .load_s = 0.5, .flops_per_s = 3e11}}};
  CostModel cost{models, &profile};
};

TEST_F(Cost, WithoutKnowledgeTheProfileAndThePeakDecide) {
  EXPECT_NEAR(cost.batch_s(cell("large", "fast", 1)), 2e10 / 3e11, 1e-4);
  EXPECT_NEAR(cost.batch_s(cell("large", "other", 1)), 2e10 / 2e11, 1e-4) << "half of the peak";
  EXPECT_NEAR(cost.batch_s(cell("large", "other", 1, {{"threads", 1}})), 2e10 / 5e10, 1e-4);
  EXPECT_GT(cost.batch_s(cell("unread", "other", 1)), 0);
  EXPECT_GT(cost.load_s(cell("large", "fast", 1)), 2 * cost.load_s(cell("small", "fast", 1)));
  const CostModel blind(models, nullptr);
  EXPECT_GT(blind.batch_s(cell("small", "other", 1)), 0);
  EXPECT_GT(blind.load_s(cell("unread", "other", 1)), 0);
}

TEST_F(Cost, TheNearestKnowledgeCounts) {
  cost.know({{cell("small", "other", 1), 0.011, 0.2, {}}});
  EXPECT_EQ(cost.batch_s(cell("small", "other", 1)), 0.011) << "the cell itself";
  EXPECT_NEAR(cost.batch_s(cell("small", "other", 8)), 0.088, 1e-3) << "one point: in proportion";
  EXPECT_NEAR(cost.batch_s(cell("small", "other", 1, {{"spinning", false}})), 0.011, 1e-12);
  EXPECT_NEAR(cost.batch_s(cell("large", "other", 1)), 0.11, 1e-3) << "the engine's speed";
  EXPECT_NEAR(cost.load_s(cell("small", "other", 64)), 0.3, 1e-9);
  cost.know(
      {{cell("small", "other", 1), 0.011, {}, {}}, {cell("small", "other", 3), 0.013, {}, {}}});
  EXPECT_NEAR(cost.batch_s(cell("small", "other", 21)), 0.031, 1e-9) << "alpha + beta x rows";
}

TEST_F(Cost, MemoryIsALineOverTheBatch) {
  const auto guess = cost.peak_bytes(cell("large", "other", 4));
  EXPECT_GE(guess, cost.least_bytes(cell("large", "other", 4)));
  EXPECT_EQ(cost.least_bytes(cell("large", "other", 4)), 4e8 + 4 * 12 * 4) << "rows of 12 floats";
  cost.know({{cell("large", "other", 1), {}, {}, 6e8}});
  EXPECT_NEAR(cost.peak_bytes(cell("large", "other", 11)), 6e8 + 1.5 * 10 * (16 << 20), 1);
  cost.know({{cell("large", "other", 1), {}, {}, 6e8}, {cell("large", "other", 2), {}, {}, 7e8}});
  EXPECT_NEAR(cost.peak_bytes(cell("large", "other", 10)), 15e8, 1);
}

TEST(RisingLine, NeverFalls) {
  EXPECT_FALSE(rising_line({}));
  EXPECT_FALSE(rising_line({{1, 5}}));
  EXPECT_FALSE(rising_line({{1, 5}, {1, 6}}));
  const auto exact = rising_line({{1, 5}, {2, 7}, {4, 11}}).value();
  EXPECT_NEAR(exact.base, 3, 1e-12);
  EXPECT_NEAR(exact.slope, 2, 1e-12);
  EXPECT_EQ(rising_line({{1, 5}, {2, 4}})->slope, 0) << "noise";
  EXPECT_EQ(rising_line({{1, 1}, {2, 4}})->base, 0) << "nothing costs less than no rows";
}

TEST(Observations, ComeFromLaunchesAndRounds) {
  Journal journal;
  measure::Outcome timed{.cell_id = "t", .cell = cell("small", "fast", 4)};
  timed.cell.workload = "throughput";
  timed.values["worker_load_ns"] = 250'000'000;
  measure::Outcome memory{.cell_id = "m", .cell = cell("small", "fast", 4)};
  memory.cell.workload = "memory";
  journal.launches.push_back({.launch = 1, .cells = {timed, memory}});
  for (const std::int64_t wall : {20'000'000, 90'000'000, 22'000'000})
    journal.rounds.push_back(
        {.launch = 1, .round = 1, .blocks = {{.cell_ids = {"t"}, .batches = 2, .wall_ns = wall}}});
  journal.rounds.push_back(
      {.launch = 1,
       .blocks = {{.cell_ids = {"m"},
                   .values = {{"memory_load_peak_bytes", 300}, {"memory_run_peak_bytes", 200}}}}});
  const auto known = observations_of(journal);
  ASSERT_EQ(known.size(), 1u) << "workloads are no contenders";
  EXPECT_NEAR(*known[0].batch_s, 0.011, 1e-12) << "the median block";
  EXPECT_EQ(known[0].load_s, 0.25);
  EXPECT_EQ(known[0].peak_bytes, 300);
}

}  // namespace
}  // namespace inferometer::campaign
