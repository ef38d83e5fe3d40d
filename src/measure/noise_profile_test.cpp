// SPDX-License-Identifier: Apache-2.0
#include "measure/noise_profile.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

namespace inferometer::measure {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::array<std::int64_t, 3> kWindows = {kSecond, 3 * kSecond, 10 * kSecond};

// Work of 10 ms whose time `mood(seconds)` stretches.
template <class Mood>
std::vector<Repetition> series(std::int64_t seconds, Mood&& mood) {
  std::vector<Repetition> all;
  for (std::int64_t at = 0; at < seconds * kSecond;) {
    const auto work = std::llround(1e7 * mood(static_cast<double>(at) / 1e9));
    all.push_back({at, work});
    at += work;
  }
  return all;
}

TEST(NoiseProfile, AQuietMachineHasNoError) {
  for (const auto& error : noise_profile(series(40, [](double) { return 1.0; }), kWindows)) {
    EXPECT_NEAR(*error.sequential_rms, 0, 1e-9);
    EXPECT_NEAR(*error.interleaved_rms, 0, 1e-9);
    EXPECT_GT(error.pairs, 0);
  }
}

// Ten seconds fast, ten seconds 20 % slower: windows of 10 s that meet at the step differ by all of
// it, short ones hardly ever meet it, and neighbours in time never differ.
TEST(NoiseProfile, AStepHurtsWhoMeasuresOneAfterTheOther) {
  const auto steps =
      series(120, [](double second) { return static_cast<int>(second / 10) % 2 == 0 ? 1.0 : 1.2; });
  const auto errors = noise_profile(steps, kWindows);
  EXPECT_GT(*errors[2].sequential_rms, 0.08);
  EXPECT_GT(*errors[2].sequential_rms, 1.5 * *errors[0].sequential_rms);
  for (const auto& error : errors) EXPECT_LT(*error.interleaved_rms, 1e-3);
}

TEST(NoiseProfile, IndependentNoiseAveragesOut) {
  std::mt19937_64 random(7);
  const auto noisy = series(
      60, [&](double) { return 0.9 + 0.2 * (static_cast<double>(random() >> 11) * 0x1p-53); });
  const auto errors = noise_profile(noisy, kWindows);
  EXPECT_LT(*errors[2].sequential_rms, *errors[0].sequential_rms);
  EXPECT_GT(*errors[0].interleaved_rms, 0);
}

TEST(NoiseProfile, AShortSeriesSaysNothingOfLongWindows) {
  const auto errors = noise_profile(series(5, [](double) { return 1.0; }), kWindows);
  EXPECT_TRUE(errors[0].sequential_rms);
  EXPECT_FALSE(errors[1].sequential_rms);
  EXPECT_EQ(errors[2].pairs, 0);
  EXPECT_FALSE(noise_profile({}, kWindows)[0].interleaved_rms);
}

}  // namespace
}  // namespace inferometer::measure
