// SPDX-License-Identifier: Apache-2.0
#include "script.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <new>

#include "base/params.hpp"

namespace inferometer::null {
namespace {

plugin::LoadRequest request(const Params& given) {
  const auto specs = script_params();
  return {.params = resolve(specs, given), .artifacts = plugin::Artifacts(nullptr, nullptr)};
}

TEST(Script, DefaultsAreQuiet) {
  EXPECT_TRUE(script_from(request({})).quiet);
  EXPECT_TRUE(act_load(request({})).empty());
}

TEST(Script, AnyOrderMakesItLoud) {
  EXPECT_FALSE(script_from(request({{"row_work_kfma", 1}})).quiet);
  EXPECT_FALSE(script_from(request({{"times_us", "[1]"}})).quiet);
  EXPECT_FALSE(script_from(request({{"fault", "stale"}})).quiet);
}

TEST(Script, RefusesTimesThatAreNoList) {
  for (const char* text : {"12", "[]", "[-1]", "[\"a\"]", "[1"})
    EXPECT_THROW(script_from(request({{"times_us", text}})), Error) << text;
}

TEST(Script, TimesAreTakenInTurnAndStretched) {
  Script script{.times_us = {0, 3000}, .drift = 1.0, .warm_up_runs = 2, .warm_up_factor = 2};
  const auto start = std::chrono::steady_clock::now();
  spend(script, 1, 1);  // 3000 us * (1 + 1) * 2; a lower bound can't fail on a busy machine
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::microseconds(12000));
}

TEST(Script, FaultsBeginAtTheirRun) {
  Script script{.fault = Fault::Swapped, .fault_at = 3};
  EXPECT_EQ(fault_of(script, 1), Fault::None);
  EXPECT_EQ(fault_of(script, 2), Fault::Swapped);
  EXPECT_EQ(fault_of(script, 9), Fault::Swapped);
}

TEST(Script, ErrorsHappenOnce) {
  Script script{.fault = Fault::Error, .fault_at = 2};
  EXPECT_EQ(fault_of(script, 0), Fault::None);
  EXPECT_THROW(fault_of(script, 1), Error);
  EXPECT_EQ(fault_of(script, 2), Fault::None);
  script.fault = Fault::OutOfMemory;
  EXPECT_THROW(fault_of(script, 1), std::bad_alloc);
}

TEST(Script, LoadHoldsMemoryOrFails) {
  EXPECT_EQ(act_load(request({{"load_bytes", 4096}})).size(), 4096u);
  EXPECT_THROW(act_load(request({{"load_fault", "error"}})), Error);
}

TEST(ScriptDeathTest, Crashes) {
  Script script{.fault = Fault::Crash};
  EXPECT_EXIT(fault_of(script, 0), testing::KilledBySignal(SIGSEGV), "");
}

TEST(Spinners, EndWithTheirOwner) {
  Spinners spinners(2);
}

}  // namespace
}  // namespace inferometer::null
