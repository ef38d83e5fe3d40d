// SPDX-License-Identifier: Apache-2.0
#include "measure/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "measure/fake_tree.hpp"

namespace inferometer::measure {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

void fill(const FakeTree& tree) {
  tree.write("proc/cpuinfo",
             "processor\t: 0\nvendor_id\t: GenuineTest\ncpu family\t: 6\nmodel\t\t: 143\nmodel "
             "name\t: Test CPU\nstepping\t: 8\nmicrocode\t: 0x1\nflags\t\t: fpu avx2 hypervisor\n\n"
             "processor\t: 1\nmodel name\t: Another\n");
  tree.write("sys/devices/system/cpu/online", "0-1\n");
  tree.write("sys/devices/system/cpu/smt/active", "0\n");
  tree.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  tree.write("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
  tree.write("sys/devices/system/cpu/cpu0/cache/index0/size", "32K\n");
  tree.write("sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n");
  tree.write("sys/devices/system/node/online", "0-1\n");
  tree.write("sys/devices/system/node/node0/cpulist", "0\n");
  tree.write("sys/devices/system/node/node1/cpulist", "1\n");
  tree.write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  tree.write("proc/sys/kernel/osrelease", "6.1.0-test\n");
  tree.write("proc/meminfo", "MemTotal:       16400000 kB\nMemFree: 5 kB\nSwapTotal: 0 kB\n");
  tree.write("proc/self/cgroup", "0::/\n");
  tree.write("sys/fs/cgroup/cpu.max", "250000 100000\n");
  tree.write("sys/fs/cgroup/cpu.stat", "nr_throttled 3\n");
  tree.write("proc/loadavg", "0.50 1.25 2.00 1/99 1234\n");
  tree.write("proc/pressure/cpu",
             "some avg10=1.50 avg60=0.00 avg300=0.00 total=77\nfull avg10=0.00 avg60=0 total=5\n");
  tree.write("proc/stat", "cpu  1 2 3 4 5 6 7 100 0 0\ncpu0 1 2 3\nctxt 5000\nbtime 1\n");
  tree.write("proc/vmstat", "nr_free 9\npswpout 0\npgfault 700\npgfault_x 1\npgmajfault 2\n");
}

TEST(Machine, ReadsATree) {
  const FakeTree tree;
  fill(tree);
  const auto facts = machine(tree.root());
  EXPECT_EQ(facts["cpu"]["model name"], "Test CPU");
  EXPECT_EQ(facts["cpu"]["model"], "143");
  EXPECT_EQ(facts["cpu"]["governor"], "performance");
  EXPECT_EQ(facts["caches"][0]["size"], "32K");
  EXPECT_EQ(facts["numa"]["1"], "1");
  EXPECT_EQ(facts["hypervisor"]["present"], true);
  EXPECT_EQ(facts["kernel"], "6.1.0-test");
  EXPECT_EQ(facts["cgroup"]["cpu_quota"], 2.5);
  EXPECT_EQ(facts["cgroup"]["memory_limit_bytes"], "unlimited");
  EXPECT_EQ(facts["memory"]["total_bytes"], 16400000ll * 1024);
  EXPECT_THAT(facts["memory"]["transparent_hugepages"].get<std::string>(), HasSubstr("[madvise]"));
  EXPECT_FALSE(facts["build"]["compiler"].get<std::string>().empty());
  EXPECT_FALSE(facts["build"]["commit"].get<std::string>().empty());
}

TEST(Machine, WhatCannotBeReadSaysWhy) {
  const FakeTree tree;
  const auto facts = machine(tree.root());
  for (const auto* key : {"governor", "model name", "flags", "smt_active", "online"})
    EXPECT_THAT(facts["cpu"][key].get<std::string>(), StartsWith("unavailable: ")) << key;
  EXPECT_THAT(facts["caches"].get<std::string>(), StartsWith("unavailable: "));
  EXPECT_THAT(facts["numa"].get<std::string>(), HasSubstr("No such file"));
  EXPECT_THAT(facts["memory"]["total_bytes"].get<std::string>(), StartsWith("unavailable: "));
  const auto now = state(tree.root());
  for (const auto& [key, value] : now.items())
    EXPECT_THAT(value.get<std::string>(), StartsWith("unavailable: ")) << key;
  const std::vector<States> nothing{{now, now}};
  EXPECT_TRUE(fingerprint(Json::object(), nothing)["change"].empty());
  for (const auto* key : {"model", "driver"})
    EXPECT_THAT(facts["gpu"][key].get<std::string>(), StartsWith("unavailable: ")) << key;
}

TEST(Machine, IdIgnoresWhatARebootChanges) {
  const FakeTree tree;
  fill(tree);
  const auto id = machine_id(machine(tree.root()));
  tree.write("proc/sys/kernel/osrelease", "6.2.0\n");
  tree.write("proc/meminfo", "MemTotal:       16400100 kB\n");
  EXPECT_EQ(machine_id(machine(tree.root())), id);
  tree.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  EXPECT_NE(machine_id(machine(tree.root())), id);
}

TEST(State, CountersAndTheirChange) {
  const FakeTree tree;
  fill(tree);
  const auto before = state(tree.root());
  EXPECT_EQ(before["load_average"], Json({0.5, 1.25, 2.0}));
  EXPECT_EQ(before["pressure_cpu"]["some_avg10"], 1.5);
  EXPECT_EQ(before["pressure_cpu"]["full_total_us"], 5);
  EXPECT_EQ(before["context_switches"], 5000);
  EXPECT_EQ(before["page_faults"], 700);
  EXPECT_EQ(before["throttled"], 3);
  tree.write("proc/stat", "cpu  1 2 3 4 5 6 7 150 0 0\nctxt 5100\n");
  tree.write("sys/fs/cgroup/cpu.stat", "nr_throttled 4\n");
  const std::vector<States> stretch{{before, state(tree.root())}};
  const auto record = fingerprint({{"machine_id", "abc"}, {"machine", "here"}}, stretch);
  EXPECT_EQ(record["change"]["context_switches"], 100);
  EXPECT_EQ(record["change"]["throttled"], 1);
  EXPECT_EQ(record["change"]["steal_ns"], 50 * (1'000'000'000 / sysconf(_SC_CLK_TCK)));
  EXPECT_EQ(record["machine_id"], "abc");
  EXPECT_EQ(record["before"], before);
}

TEST(State, ChangesOfSeveralLaunchesAreSummed) {
  const auto at = [](std::int64_t steal, std::int64_t faults) {
    return Json{{"steal_ns", steal}, {"page_faults", faults}};
  };
  const std::vector<States> launches{{at(10, 1), at(15, 2)}, {at(1000, 5), at(1002, 9)}};
  const auto record = fingerprint(Json::object(), launches);
  EXPECT_EQ(record["before"], at(10, 1));
  EXPECT_EQ(record["after"], at(1002, 9));
  EXPECT_EQ(record["change"]["steal_ns"], 7) << "what happened between launches does not count";
  EXPECT_EQ(record["change"]["page_faults"], 5);
}

TEST(State, AnyShapeOfAStrangersStateIsTaken) {
  const std::vector<States> odd{
      {{{"steal_ns", INT64_MIN}, {"page_faults", 1}, {"throttled", 0}},
       {{"steal_ns", INT64_MAX}, {"page_faults", "many"}, {"throttled", 2}}}};
  EXPECT_EQ(fingerprint("x", odd)["change"], Json({{"throttled", 2}}));
  const std::vector<States> killed{{{{"throttled", 0}}, "unavailable: killed"}};
  EXPECT_TRUE(fingerprint(Json::object(), killed)["change"].empty());
  EXPECT_THAT(fingerprint(Json::object(), {})["before"].get<std::string>(),
              StartsWith("unavailable: "));
}

TEST(State, ThisMachine) {
  EXPECT_TRUE(state()["context_switches"].is_number());
  EXPECT_EQ(machine_id(machine()), machine_id(machine()));
}

}  // namespace
}  // namespace inferometer::measure
