// SPDX-License-Identifier: Apache-2.0
#include "measure/roofline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "base/cpu.hpp"
#include "inferometer/error.hpp"
#include "measure/burst.hpp"
#include "measure/canary.hpp"

namespace inferometer::measure {
namespace {

using ::testing::HasSubstr;

TEST(Fma, EveryLoopThatCanRunDoes) {
  for (const auto& loop : fma_loops()) {
    const PeakOptions options{.bursts = 2, .burst_ns = 20'000, .loop = &loop};
    if (loop.can_run()) {
      const auto peak = measure_peak_flops(options);
      EXPECT_GT(peak.per_s, 0) << loop.isa;
      EXPECT_EQ(peak.isa, loop.isa);
      continue;
    }
    try {
      measure_peak_flops(options);
      FAIL() << loop.isa;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Unavailable);
      EXPECT_THAT(error.what(), HasSubstr(std::string(to_string(loop.dtype))));
    }
  }
}

TEST(Fma, TheBestLoopIsTheFirstThatCanRun) {
  ASSERT_NE(best_loop(DType::F32), nullptr) << "every CPU multiplies f32";
  EXPECT_TRUE(best_loop(DType::F32)->can_run());
  EXPECT_EQ(best_loop(DType::U64), nullptr);
  EXPECT_THROW(measure_peak_flops({.dtype = DType::U64}), Error);
}

TEST(Burst, ThreadsPrepareThenWorkAndProblemsComeBack) {
  std::atomic<int> prepared = 0, worked_too_early = 0, worked = 0;
  const auto before = affinity();
  EXPECT_GT(time_together(
                5, [&](int) { ++prepared; },
                [&](int) {
                  if (prepared != 5) ++worked_too_early;
                  ++worked;
                }),
            0);
  EXPECT_EQ(worked, 5);
  EXPECT_EQ(worked_too_early, 0);
  EXPECT_EQ(affinity(), before);
  EXPECT_THROW(time_together(
                   3,
                   [](int thread) {
                     if (thread == 1) throw std::runtime_error("no memory");
                   },
                   [](int) {}),
               std::runtime_error);
}

TEST(Roofline, BandwidthHasASpread) {
  const auto peak = measure_bandwidth({.threads = 2, .bursts = 3, .burst_ns = 100'000});
  EXPECT_GT(peak.per_s, 0);
  EXPECT_GE(peak.per_s, peak.median);
  EXPECT_GE(peak.spread, 0);
  EXPECT_EQ(peak.threads, 2);
  EXPECT_THROW(measure_bandwidth({.threads = 0}), Error);
  EXPECT_THROW(measure_peak_flops({.bursts = 0}), Error);
}

TEST(Roofline, FloorIsTheSlowerOfTheTwo) {
  const auto computing = floor_of(8e9, 1e8, 100e9, 10e9);
  EXPECT_DOUBLE_EQ(computing.compute_ns, 80e6);
  EXPECT_DOUBLE_EQ(computing.memory_ns, 10e6);
  EXPECT_DOUBLE_EQ(computing.ns(), 80e6);
  EXPECT_DOUBLE_EQ(floor_of(1e6, 1e8, 100e9, 10e9).ns(), 10e6);
  EXPECT_DOUBLE_EQ(share_of(computing, 160e6), 0.5);
  EXPECT_EQ(share_warning(1.05), "");
  EXPECT_THAT(share_warning(1.31), HasSubstr("131 %"));
}

TEST(Canary, RunsWhatItIsAskedTo) {
  Canary canary(2);
  const auto answer =
      canary.answer(parse_json(R"({"fma_steps": 1000, "stream_bytes": 65536})", "t"));
  const auto reading = canary_reading(answer);
  EXPECT_GT(reading.fma_ns, 0);
  EXPECT_GT(reading.stream_ns, 0);
  EXPECT_EQ(canary.answer(Json::object())["fma_steps"], 1000);
  EXPECT_GT(canary.calibrate(100'000).fma_steps, 1);
}

TEST(Canary, TakesAtMostATwentiethOfARound) {
  EXPECT_EQ(canary_aim_ns(1'000'000'000), kCanaryNs);
  EXPECT_EQ(canary_aim_ns(50'000'000), 1'000'000);
  EXPECT_EQ(canary_aim_ns(0), 200'000) << "less tells nothing";
  for (const std::int64_t round_ns : {500'000, 3'000'000, 10'000'000, 70'000'000, 1'000'000'000})
    EXPECT_LE(2 * canary_aim_ns(round_ns) * 20, round_ns * rounds_per_canary(round_ns))
        << "5 % of rounds of " << round_ns << " ns";
  EXPECT_EQ(rounds_per_canary(1'000'000'000), 1);
  const auto less = scaled({1000, 5000}, kCanaryNs / 4);
  EXPECT_EQ(less.fma_steps, 250);
  EXPECT_EQ(less.stream_bytes, 1250);
}

TEST(Canary, RefusesBadRequests) {
  Canary canary;
  for (const auto* request :
       {R"([])", R"({"fma_steps": 5})", R"({"fma_steps": "x", "stream_bytes": 5})",
        R"({"fma_steps": 0, "stream_bytes": 5})", R"({"fma_steps": 5, "stream_bytes": -1})"})
    EXPECT_THROW(canary.answer(parse_json(request, "t")), Error) << request;
  EXPECT_THROW(Canary(0), Error);
  EXPECT_THROW(canary_reading(Json::object()), Error);
}

TEST(Canary, RejectsARoundOnlyAbove25Percent) {
  const CanaryReading calm{1000, 2000};
  EXPECT_FALSE(changed_within(calm, {1250, 2000}));
  EXPECT_TRUE(changed_within(calm, {1251, 2000}));
  EXPECT_TRUE(changed_within({1000, 2501}, calm));
}

TEST(Canary, Verdicts) {
  const std::vector<CanaryReading> calm(9, {1000, 2000});
  EXPECT_EQ(judge(calm).noise, Noise::Fit);
  EXPECT_EQ(judge(calm).median.stream_ns, 2000);
  EXPECT_EQ(judge(std::span(calm).first(4)).noise, Noise::Noisy);
  EXPECT_EQ(judge({}).noise, Noise::Noisy);

  auto noisy = calm;
  for (std::size_t i = 0; i < noisy.size(); i += 2) noisy[i].stream_ns = 2400;
  const auto verdict = judge(noisy);
  EXPECT_EQ(verdict.noise, Noise::Noisy);
  EXPECT_NEAR(verdict.spread, 400.0 / 2400, 1e-9);
  EXPECT_EQ(verdict.rejected_share, 0);

  auto wild = calm;
  for (std::size_t i = 0; i < wild.size(); i += 2) wild[i].fma_ns = 1300;
  EXPECT_EQ(judge(wild).noise, Noise::Unfit);
  EXPECT_EQ(judge(wild).text, "unfit: canary spread 23 %, 8 of 8 rounds rejected");
}

}  // namespace
}  // namespace inferometer::measure
