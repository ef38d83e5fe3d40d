// SPDX-License-Identifier: Apache-2.0
#include "measure/memory.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "inferometer/error.hpp"
#include "measure/fake_tree.hpp"
#include "measure/outcome.hpp"
#include "measure/tasks.hpp"

namespace inferometer::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kMiB = 1 << 20;

void add_process(const FakeTree& tree, pid_t pid, pid_t parent, int rss_kib) {
  const auto folder = std::to_string(pid) + "/";
  tree.write(folder + "stat", fmt::format("{} (a (strange) name) S {} 1 1 0\n", pid, parent));
  tree.write(folder + "status",
             fmt::format("Name:\tx\nVmPeak:\t  999 kB\nVmHWM:\t{} kB\nVmRSS:\t {} kB\nRssAnon:\t{} "
                         "kB\nRssFile:\t 20 kB\nRssShmem:\t 4 kB\nThreads:\t1\n",
                         rss_kib + 50, rss_kib, rss_kib - 24));
  tree.write(folder + "smaps_rollup",
             fmt::format("55-ff ---p 00000000 00:00 0  [rollup]\nRss: {} kB\nPss:   {} "
                         "kB\nPss_Dirty: 1 kB\nPrivate_Clean:  10 kB\nPrivate_Dirty: 30 kB\n",
                         rss_kib, rss_kib / 2));
  tree.write(folder + "clear_refs", "");
}

TEST(Memory, SumsTheProcessTree) {
  const FakeTree tree;
  add_process(tree, 10, 1, 100);
  add_process(tree, 11, 10, 200);
  add_process(tree, 12, 11, 300);
  add_process(tree, 13, 1, 5000);
  tree.write("uptime", "1 1");
  const auto pids = process_tree(10, tree.root());
  EXPECT_THAT(pids, ElementsAre(10, 11, 12));
  const auto reading = read_memory(pids, Detail::Rollup, tree.root());
  EXPECT_EQ(reading.processes, 3);
  EXPECT_EQ(reading.rss_bytes, 600 * 1024);
  EXPECT_EQ(reading.anon_bytes, (600 - 72) * 1024);
  EXPECT_EQ(reading.file_bytes, 60 * 1024);
  EXPECT_EQ(reading.shmem_bytes, 12 * 1024);
  EXPECT_EQ(reading.peak_bytes, 750 * 1024);
  EXPECT_EQ(reading.pss_bytes.value(), 300 * 1024);
  EXPECT_EQ(reading.uss_bytes.value(), 120 * 1024);
  EXPECT_FALSE(read_memory(pids, Detail::Status, tree.root()).pss_bytes);
}

TEST(Memory, FreeIsWhatTheTightestLimitLeavesWithoutPageCache) {
  const FakeTree tree;
  EXPECT_THROW(free_memory_bytes(tree.root()), Error);
  tree.write("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n");
  EXPECT_EQ(free_memory_bytes(tree.root()), 8000 * 1024);
  tree.write("proc/self/cgroup", "0::/pod/me\n");
  const auto limit = [&](const std::string& group, int max_kib, int used_kib, int cache_kib) {
    const auto folder = "sys/fs/cgroup/" + group;
    tree.write(folder + "memory.max", fmt::format("{}\n", max_kib * 1024));
    tree.write(folder + "memory.current", fmt::format("{}\n", used_kib * 1024));
    tree.write(folder + "memory.stat",
               fmt::format("anon 1\nfile {}\nshmem 10240\n", cache_kib * 1024));
  };
  limit("pod/me/", 5000, 4900, 4010);
  EXPECT_EQ(free_memory_bytes(tree.root()), 4100 * 1024) << "4000 KiB of cache can be given back";
  limit("pod/", 6000, 5500, 10);
  EXPECT_EQ(free_memory_bytes(tree.root()), 500 * 1024) << "the neighbours' pages count too";
}

TEST(Memory, EndedProcessesCountNothing) {
  const FakeTree tree;
  add_process(tree, 10, 1, 100);
  tree.write("11/status", "Name:\tzombie\nState:\tZ\n");
  const auto reading = read_memory(std::vector<pid_t>{10, 11, 12}, Detail::Rollup, tree.root());
  EXPECT_EQ(reading.processes, 1);
  EXPECT_EQ(reading.rss_bytes, 100 * 1024);
  try {
    read_memory(std::vector<pid_t>{11, 12}, Detail::Status, tree.root());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Unavailable);
    EXPECT_THAT(error.what(), HasSubstr(tree.root().string()));
  }
}

TEST(Memory, AnUnreadableRollupIsAbsentNotWrong) {
  const FakeTree tree;
  add_process(tree, 10, 1, 100);
  add_process(tree, 11, 10, 100);
  tree.write("11/smaps_rollup", "");
  const auto reading = read_memory(process_tree(10, tree.root()), Detail::Rollup, tree.root());
  EXPECT_FALSE(reading.pss_bytes);
  Json values;
  put_phase(values, MemoryPhase::Model, reading);
  EXPECT_TRUE(values["memory_model_pss_bytes"].is_null());
  EXPECT_TRUE(values.contains("memory_model_pss_bytes_why"));
}

TEST(Memory, RecorderResetsPeaksAndNamesPhases) {
  const FakeTree tree;
  add_process(tree, 10, 1, 100);
  PhaseRecorder recorder(10, tree.root());
  recorder.begin();
  EXPECT_EQ(tree.read("10/clear_refs"), "5");
  recorder.end(MemoryPhase::Model);
  add_process(tree, 10, 1, 300);
  recorder.begin();
  recorder.end(MemoryPhase::Steady);
  const auto& values = recorder.values();
  EXPECT_EQ(values["memory_model_bytes"], 100 * 1024);
  EXPECT_EQ(values["memory_load_peak_bytes"], 150 * 1024);
  EXPECT_EQ(values["memory_steady_bytes"], 300 * 1024);
  EXPECT_EQ(values["memory_run_peak_bytes"], 350 * 1024);
  for (const auto& [key, value] : values.items()) EXPECT_EQ(field(key).key, key);
}

TEST(Memory, EveryPhaseHasItsFields) {
  for (const auto phase : {MemoryPhase::Process, MemoryPhase::Library, MemoryPhase::Model,
                           MemoryPhase::Steady, MemoryPhase::Released}) {
    Json values;
    put_phase(values, phase, {});  // aborts for a key that isn't declared
    EXPECT_TRUE(values.contains(fmt::format("memory_{}_anon_bytes", to_string(phase))));
  }
}

// The sanitizers' own pages are few beside 64 MiB, and the peak of a thing that is gone is what the
// reset must forget.
TEST(Memory, ThisProcess) {
  const std::vector<pid_t> self = {getpid()};
  constexpr std::size_t kSize = 64 * kMiB;
  const auto touch = [&] {
    void* pages = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(pages, MAP_FAILED);
    std::memset(pages, 1, kSize);
    munmap(pages, kSize);
  };
  touch();
  ASSERT_NO_THROW(reset_peak(self));
  const auto calm = read_memory(self, Detail::Rollup);
  EXPECT_LT(calm.peak_bytes - calm.rss_bytes, 8 * kMiB);
  touch();
  const auto after = read_memory(self, Detail::Status);
  EXPECT_NEAR(static_cast<double>(after.peak_bytes - calm.rss_bytes), 64.0 * kMiB, 4.0 * kMiB);
  EXPECT_GT(calm.pss_bytes.value(), 0);
  EXPECT_GE(calm.rss_bytes, calm.uss_bytes.value());
}

void add_task(const FakeTree& tree, pid_t pid, pid_t task, const std::string& name, int user,
              int system) {
  tree.write(fmt::format("{}/task/{}/stat", pid, task),
             fmt::format("{} ({}) R 1 1 1 0 -1 4194304 5 0 0 0 {} {} 0 0 20 0 2 0 9\n", task, name,
                         user, system));
}

TEST(Tasks, CpusUsedByWhom) {
  const FakeTree tree;
  add_task(tree, 10, 10, "worker", 100, 0);
  add_task(tree, 10, 11, "pool) 1", 100, 20);
  const auto before = read_tasks(std::vector<pid_t>{10}, tree.root());
  ASSERT_EQ(before.size(), 2u);
  add_task(tree, 10, 10, "worker", 150, 50);
  add_task(tree, 10, 11, "pool) 1", 110, 110);
  add_task(tree, 10, 12, "late", 50, 0);
  const auto after = read_tasks(std::vector<pid_t>{10, 99}, tree.root());
  const auto use = cpus_used(before, after, 1'000'000'000);
  EXPECT_DOUBLE_EQ(use.cpus, 2.5);
  ASSERT_EQ(use.busy.size(), 3u);
  EXPECT_EQ(use.busy[0].name, "worker");
  EXPECT_EQ(use.busy[1].name, "pool) 1");
  EXPECT_DOUBLE_EQ(use.busy[2].cpus, 0.5);
  EXPECT_THAT(thread_parity_warning(use, 2, 1'000'000'000), HasSubstr("2.50 CPUs where 2"));
  EXPECT_EQ(thread_parity_warning({2.5, {}}, 2, 1'000'000'000),
            "used 2.50 CPUs where 2 were allowed")
      << "without a list nothing is said of tasks";
  EXPECT_EQ(thread_parity_warning(use, 3, 1'000'000'000), "");
  EXPECT_EQ(to_json(use.busy)[0]["task"], 10);
}

TEST(Tasks, TicksAreForgivenInShortWindows) {
  CpuUse use{1.2, {{1, "a", 1.2}}};
  EXPECT_EQ(thread_parity_warning(use, 1, 50'000'000), "");
  EXPECT_NE(thread_parity_warning(use, 1, 1'000'000'000), "");
}

TEST(Tasks, ThisProcessIsRead) {
  const auto tasks = read_tasks(std::vector<pid_t>{getpid()});
  EXPECT_NE(std::ranges::find(tasks, getpid(), &TaskTime::task), tasks.end());
}

}  // namespace
}  // namespace inferometer::measure
