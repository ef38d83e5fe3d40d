// SPDX-License-Identifier: Apache-2.0
#include "core/unified.hpp"

#include <gtest/gtest.h>

#include "base/cpu.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

Error refusal(const Params& given) {
  try {
    resolve_params(given, {});
  } catch (const Error& error) {
    return error;
  }
  return {Status::Ok, "accepted"};
}

TEST(ResolveParams, DefaultsFollowTheMachineAndEachOther) {
  const Resolved resolved = resolve_params({}, {});
  EXPECT_EQ(resolved.threads, default_threads());
  EXPECT_EQ(resolved.allowed, affinity());
  EXPECT_EQ(resolved.streams, 1);
  EXPECT_EQ(resolved.in_flight, 1);
  EXPECT_EQ(resolved.batch_size, 0);
  EXPECT_EQ(std::get<std::string>(resolved.params.at("precision")), "fp32");
}

TEST(ResolveParams, FewerInFlightThanStreamsIsRefused) {
  const AffinityScope two({affinity().front()});
  EXPECT_EQ(refusal({{"streams", 1}, {"in_flight", 3}}).code(), Status::Ok);
  const Error error = refusal({{"streams", 2}, {"in_flight", 1}, {"threads", 2}});
  EXPECT_EQ(error.code(), Status::Invalid);
}

TEST(ResolveParams, InFlightBelowStreamsNamesTheParam) {
  if (affinity().size() < 2) GTEST_SKIP() << "needs two CPUs";
  const Error error = refusal({{"threads", 2}, {"streams", 2}, {"in_flight", 1}});
  EXPECT_EQ(error.code(), Status::Invalid);
  EXPECT_EQ(error.context().at("param"), "in_flight");
  EXPECT_EQ(resolve_params({{"threads", 2}, {"streams", 2}}, {}).in_flight, 2);
}

TEST(ResolveParams, MoreThreadsThanCpusOrStreamsThanThreadsIsRefused) {
  EXPECT_EQ(refusal({{"threads", 4096}}).context().at("param"), "threads");
  EXPECT_EQ(refusal({{"threads", 1}, {"streams", 2}}).context().at("param"), "streams");
}

TEST(ResolveParams, CpusMustBeAllowedHere) {
  const int cpu = affinity().front();
  const Resolved resolved = resolve_params({{"cpus", std::to_string(cpu)}}, {});
  EXPECT_EQ(resolved.allowed, std::vector{cpu});
  EXPECT_EQ(resolved.threads, 1);
  EXPECT_EQ(refusal({{"cpus", "8000"}}).context().at("param"), "cpus");
}

TEST(ResolveParams, DimsAreAFamily) {
  EXPECT_EQ(resolve_params({{"dim.seq", 128}}, {}).dims.at("seq"), 128);
  EXPECT_EQ(refusal({{"dim.seq", 0}}).code(), Status::Invalid);
  EXPECT_EQ(refusal({{"dim.seq", "x"}}).code(), Status::Invalid);
}

TEST(ResolveParams, AnEnginesOwnParamsStandBeside) {
  const std::vector<ParamSpec> own = {
      {.name = "spinning", .type = ParamSpec::Type::Bool, .fallback = true}};
  EXPECT_EQ(std::get<bool>(resolve_params({{"spinning", false}}, own).params.at("spinning")),
            false);
  EXPECT_EQ(refusal({{"spinning", false}}).code(), Status::Invalid);
  EXPECT_EQ(refusal({{"thread", 1}}).context().at("nearest"), "threads");
}

TEST(ChooseCpus, TurnsSoThatTwoModelsDoNotShare) {
  const std::vector<int> allowed = {0, 1, 2, 3};
  const auto first = choose_cpus(allowed, 2);
  const auto second = choose_cpus(allowed, 2);
  EXPECT_EQ(first.size(), 2u);
  EXPECT_NE(first, second);
  EXPECT_EQ(choose_cpus(allowed, 4), allowed);
}

}  // namespace
}  // namespace inferometer::core
