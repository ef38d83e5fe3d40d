// SPDX-License-Identifier: Apache-2.0
#include "campaign/machine_profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "campaign/bench.hpp"
#include "campaign/fake_lab.hpp"
#include "campaign/machine_advice.hpp"
#include "measure/environment.hpp"

namespace inferometer::campaign {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Its clock goes on while the canary runs.
struct WatchedLab : FakeLab {
  WatchedLab() { canary_takes_ns = 4'000'000; }
};

TEST(MachineProfile, HoldsPeaksNoiseAndWhatIsMissing) {
  WatchedLab lab;
  const auto profile = measure_machine({.seconds = 25}, lab, {}).value();
  std::vector<std::int64_t> threads;
  for (const auto& peak : profile.bandwidth) threads.push_back(peak.threads);
  EXPECT_THAT(threads, ElementsAre(1, 2));
  EXPECT_EQ(profile.compute.size(), 8u) << "four of five dtypes, two thread counts";
  EXPECT_EQ(profile.compute.back().flops_per_s, 2e9);
  EXPECT_THAT(profile.unavailable, Contains(HasSubstr("peak of f16")));
  EXPECT_EQ(profile.noise.verdict, "fit");
  ASSERT_EQ(profile.noise.errors.size(), 3u);
  EXPECT_NEAR(*profile.noise.errors[2].sequential_rms, 0, 1e-12);
  EXPECT_EQ(to_json(machine_profile_from_json(to_json(profile))), to_json(profile));
  EXPECT_THROW(machine_profile_from_json(Json{{"machine_id", "x"}}), Error);
  EXPECT_THROW(measure_machine({.seconds = 0.5}, lab, {}), Error);
}

TEST(MachineProfile, IsKeptForItsMachineOnly) {
  WatchedLab lab;
  const ScratchFolder folder("inferometer-profile");
  const auto profile = measure_machine({.seconds = 1}, lab, {}).value();
  keep_profile(folder.path() / "new", profile);
  EXPECT_EQ(to_json(kept_profile(folder.path() / "new", profile.machine_id).value()),
            to_json(profile));
  EXPECT_FALSE(kept_profile(folder.path() / "new", "other"));
  EXPECT_FALSE(kept_profile({}, profile.machine_id));
  auto unfit = profile;
  unfit.noise.verdict = "unfit";
  keep_profile(folder.path() / "unfit", unfit);
  EXPECT_FALSE(kept_profile(folder.path() / "unfit", profile.machine_id)) << "it would mislead";
  write_text_atomic(folder.path() / "new" / ("machine-" + profile.machine_id + ".json"), "{\"");
  EXPECT_FALSE(kept_profile(folder.path() / "new", profile.machine_id)) << "it is measured anew";
}

TEST(MachineProfile, AStopLeavesNone) {
  WatchedLab lab;
  std::stop_source stop;
  lab.on_event = [&](const std::string&) {
    if (lab.count("canary") == 100) stop.request_stop();
  };
  EXPECT_FALSE(measure_machine({.seconds = 100}, lab, {}, stop.get_token()));
  EXPECT_EQ(lab.count("canary"), 100);
}

TEST(MachineProfile, TellsABiasedFirstBatchAndAnEngineThatFails) {
  WatchedLab lab;
  lab.order = {"slow", "fast", "broken", "absent"};
  lab.scripts["fast"].first_batch = 1.2;
  lab.scripts["broken"].at_load = Error(Status::LoadFailed, "no kernel");
  lab.scripts["absent"].available = false;
  const auto profile = measure_machine({.seconds = 1, .engines = lab.order}, lab, {}).value();
  EXPECT_FALSE(facts_of(profile, "slow")->first_batch_biased());
  EXPECT_NEAR(facts_of(profile, "slow")->first_batch_ratio, 1, 1e-3);
  EXPECT_TRUE(facts_of(profile, "fast")->first_batch_biased());
  EXPECT_NEAR(facts_of(profile, "fast")->first_batch_ratio, 1.2, 1e-3);
  EXPECT_NEAR(facts_of(profile, "fast")->load_s, 1e-3, 1e-9);
  EXPECT_THAT(profile.advice, Contains(HasSubstr("fast: the first batch")));
  EXPECT_EQ(facts_of(profile, "broken")->why, "no kernel");
  EXPECT_THAT(facts_of(profile, "absent")->why, HasSubstr("looked in"));
  EXPECT_EQ(facts_of(profile, "never"), nullptr);
}

class BiasedBench : public testing::Test {
 protected:
  BenchResult go(const std::filesystem::path& cache_dir) {
    BenchOptions options{.models = {"m.onnx"}, .engines = {"slow", "fast"}};
    options.workloads = {"throughput"};
    options.cache_dir = cache_dir;
    return bench(options, lab, {});
  }
  const Json& values(const BenchResult& result) { return result.outcomes[1].values; }
  WatchedLab lab;
};

TEST_F(BiasedBench, LetsABatchPassUnseenAfterEachWaking) {
  lab.scripts["fast"] = {.row_ns = 50'000'000, .first_batch = 1.5};  // one batch a block
  const ScratchFolder folder("inferometer-profile");
  const auto seen = go(folder.path());
  EXPECT_NEAR(values(seen).at("batch_time_ns").get<double>(), 75e6, 1e3)
      << "nothing is dropped that no profile found biased";
  EXPECT_FALSE(values(seen).contains("first_batch_ratio"));

  keep_profile(folder.path(),
               measure_machine({.seconds = 1, .engines = {"fast"}}, lab, {}).value());
  const auto unseen = go(folder.path());
  EXPECT_NEAR(values(unseen).at("batch_time_ns").get<double>(), 50e6, 1e3);
  EXPECT_NEAR(values(unseen).at("first_batch_ratio").get<double>(), 1.5, 1e-3);
}

TEST(MachineAdvice, NamesWhatHurts) {
  MachineProfile profile{.machine = {{"cpu", {{"governor", "powersave"}, {"smt_active", "1"}}},
                                     {"hypervisor", {{"present", true}}}}};
  profile.noise = {
      10, "unfit", "", {{1'000'000'000, 0.05, 0.002, 9}, {3'000'000'000, 0.01, {}, 3}}};
  const Json change = {{"steal_ns", 2'000'000'000}, {"throttled", 3}, {"pages_swapped_out", 0}};
  const auto advice = advice_of(profile, {{"change", change}});
  EXPECT_THAT(advice.front(), HasSubstr("Unfit"));
  EXPECT_THAT(advice, Contains(HasSubstr("for 1 s each differ by 5.0 % here, in turns by 0.20 %")));
  EXPECT_THAT(advice, Not(Contains(HasSubstr("for 3 s"))));
  for (const auto* text : {"20 % of a CPU", "quota", "powersave", "SMT", "virtual machine"})
    EXPECT_THAT(advice, Contains(HasSubstr(text)));
  EXPECT_THAT(advice, Not(Contains(HasSubstr("swapped"))));
}

TEST(MachineAdvice, SaysWhatIsUnavailable) {
  std::vector<std::string> unavailable;
  add_unavailable({{"cpu", {{"governor", "unavailable: no file"}, {"model", "x"}}}, {"gpu", 1}}, "",
                  unavailable);
  EXPECT_THAT(unavailable, ElementsAre("cpu.governor: no file"));
}

}  // namespace
}  // namespace inferometer::campaign
