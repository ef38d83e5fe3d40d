// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <fstream>
#include <thread>

#include "base/cgroup.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CpuList, ReadsTheKernelsForm) {
  EXPECT_THAT(parse_cpu_list("0-3,5"), ElementsAre(0, 1, 2, 3, 5));
  EXPECT_THAT(parse_cpu_list("7\n"), ElementsAre(7));
  EXPECT_THAT(parse_cpu_list("5,0-1,1"), ElementsAre(0, 1, 5));
  for (const auto* text : {"0-3,5", "0", "2,4,6-7"}) {
    EXPECT_EQ(cpu_list_text(parse_cpu_list(text)), text);
  }
}

TEST(CpuList, RefusesAnythingElse) {
  for (const auto* text : {"", "a", "1-", "-1", "3-1", "1,,2", "1,", "0-99999", "1 2", "1.5",
                           "99999999999999999999"}) {
    try {
      parse_cpu_list(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  }
}

TEST(Affinity, ScopeNarrowsAndRestores) {
  std::thread([] {
    const auto before = affinity();
    ASSERT_FALSE(before.empty());
    {
      const AffinityScope scope({before.back()});
      EXPECT_THAT(affinity(), ElementsAre(before.back()));
      EXPECT_EQ(default_threads(), 1);
    }
    EXPECT_EQ(affinity(), before);
  }).join();
}

TEST(Affinity, RefusesCpusThatAreNotThere) {
  std::thread([] {
    try {
      set_affinity({kMaxCpus - 1});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
      EXPECT_THAT(error.what(), HasSubstr("8191"));
    }
  }).join();
}

TEST(Mxcsr, ScopeRestores) {
  const auto before = _mm_getcsr();
  {
    const MxcsrScope scope;
    _mm_setcsr(before | 0x8040u);
  }
  EXPECT_EQ(_mm_getcsr(), before);
}

TEST(CpuFeatures, AreOneStableWord) {
  EXPECT_EQ(cpu_features().find_first_of("/ \n"), std::string::npos);
  EXPECT_GT(cpu_features().size(), 20u);
  std::string elsewhere;
  std::thread([&] { elsewhere = cpu_features(); }).join();
  EXPECT_EQ(elsewhere, cpu_features());
}

class CgroupTest : public ::testing::Test {
 protected:
  CgroupTest() {
    auto pattern = (fs::temp_directory_path() / "cgroup_test_XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~CgroupTest() override { fs::remove_all(root_); }
  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(CgroupTest, Version2TakesTheTightestOfTheBranch) {
  write("proc/self/cgroup", "0::/user/app\n");
  write("sys/fs/cgroup/user/app/cpu.max", "350000 100000\n");
  write("sys/fs/cgroup/user/app/memory.max", "max\n");
  write("sys/fs/cgroup/user/app/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 4\n");
  write("sys/fs/cgroup/user/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/user/memory.max", "1073741824\n");
  const auto group = cgroup_of_self(root_);
  EXPECT_EQ(group.version, 2);
  EXPECT_EQ(group.path, "/user/app");
  EXPECT_DOUBLE_EQ(group.cpu_quota.value(), 1.5);
  EXPECT_EQ(group.memory_limit_bytes.value(), 1073741824u);
  EXPECT_EQ(group.throttled.value(), 4u);
  EXPECT_EQ(default_threads(root_), 1);
}

TEST_F(CgroupTest, Version2InAContainerSeesOnlyTheMountPoint) {
  write("proc/self/cgroup", "0::/docker/0123\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_of_self(root_).cpu_quota.value(), 0.5);
  EXPECT_EQ(default_threads(root_), 1);
}

TEST_F(CgroupTest, Version1) {
  write("proc/self/cgroup", "9:memory:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/job\n0::/job\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "200000\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  const auto group = cgroup_of_self(root_);
  EXPECT_EQ(group.version, 1);
  EXPECT_DOUBLE_EQ(group.cpu_quota.value(), 2.0);
  EXPECT_FALSE(group.memory_limit_bytes);
}

TEST_F(CgroupTest, NothingOrRubbishIsNoLimit) {
  EXPECT_EQ(cgroup_of_self(root_).version, 0);
  EXPECT_EQ(default_threads(root_), static_cast<int>(affinity().size()));
  write("proc/self/cgroup", "nonsense\n0::/../..\n");
  write("sys/fs/cgroup/cpu.max", "lots of\n");
  EXPECT_FALSE(cgroup_of_self(root_).cpu_quota);
}

}  // namespace
}  // namespace inferometer
