// SPDX-License-Identifier: Apache-2.0
// Real processes: the shell, told to do one thing.
#include "process/child.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "base/cpu.hpp"
#include "inferometer/error.hpp"
#include "process/tree.hpp"

namespace inferometer::process {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{20'000};

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      reader = UniqueFd(ends[0]);
      writer = UniqueFd(ends[1]);
    }
  }
  /// Up to a line's end or the end of all writers.
  std::string line() {
    std::string text;
    for (char c = 0; ::read(reader.get(), &c, 1) == 1 && c != '\n';) text.push_back(c);
    return text;
  }
  UniqueFd reader, writer;
};

SpawnRequest shell(const std::string& script, int output = -1) {
  return {.program = "/bin/sh", .arguments = {"-c", script}, .output = output};
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  if (DIR* entries = ::opendir("/proc/self/fd")) {
    while (::readdir(entries)) ++count;
    ::closedir(entries);
  }
  return count;
}

TEST(Child, TellsHowItEnded) {
  Child five = Child::spawn(shell("exit 5"));
  EXPECT_TRUE(five.wait_end(kLong));
  const Ending ended = five.end();
  EXPECT_FALSE(ended.signal);
  EXPECT_EQ(ended.exit_code, 5);
  EXPECT_EQ(to_string(ended), "ended with exit code 5");

  Child killed = Child::spawn(shell("kill -SEGV $$"));
  EXPECT_TRUE(killed.wait_end(kLong));
  EXPECT_EQ(to_string(killed.end()), "killed by signal 11 (SIGSEGV)");
}

TEST(Child, ItsEndingIsUnknownWhereSigchldIsIgnored) {
  Child sleeper = Child::spawn(shell("exec sleep 1000"));
  ::signal(SIGCHLD, SIG_IGN);
  const std::string ended = to_string(sleeper.end());
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(ended, "ended, nobody knows how: this process ignores SIGCHLD");
}

TEST(Child, AProgramThatIsNotThereIsUnavailable) {
  try {
    Child::spawn({.program = "/nowhere/program"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Unavailable);
    EXPECT_NE(std::string(error.what()).find("/nowhere/program"), std::string::npos);
  }
}

TEST(Child, GetsItsEnvironmentAffinityAndNothingElse) {
  Pipe pipe;
  const int cpu = affinity().back();
  const UniqueFd leaked(::open("/dev/null", O_RDONLY));  // not close-on-exec
  SpawnRequest request = shell("[ -e /proc/$$/fd/" + std::to_string(leaked.get()) +
                                   " ] && inherited=yes || inherited=no;"
                                   "echo $INFEROMETER_TEST_WORD $inherited "
                                   "$(grep Cpus_allowed_list /proc/self/status | cut -f2)",
                               pipe.writer.get());
  request.environment = {{"INFEROMETER_TEST_WORD", "word"}};
  request.cpus = {cpu};
  Child child = Child::spawn(request);
  pipe.writer.reset();
  EXPECT_EQ(pipe.line(), "word no " + std::to_string(cpu));
  EXPECT_TRUE(child.wait_end(kLong));
}

TEST(Child, CpusThatAreNotThereAreRefused) {
  SpawnRequest request = shell("exit 0");
  request.cpus = {kMaxCpus - 1};
  try {
    Child::spawn(request);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
  }
  Child after = Child::spawn(shell("exit 0"));
  EXPECT_TRUE(after.wait_end(kLong)) << "the refusal left the spawner as it was";
}

TEST(Child, StopsAndWakesTheWholeTree) {
  Pipe pipe;
  Child child = Child::spawn(shell(
      "sh -c 'while :; do :; done' & while :; do :; done & echo started; wait", pipe.writer.get()));
  pipe.writer.reset();
  EXPECT_EQ(pipe.line(), "started");
  ASSERT_TRUE(child.stop());
  const auto tree = tree_of(child.pid());
  EXPECT_EQ(tree.size(), 3u);
  for (const pid_t pid : tree) EXPECT_TRUE(all_stopped(pid)) << pid;
  child.resume();
  for (const pid_t pid : tree) {
    while (state_of(pid) == 'T') ::poll(nullptr, 0, 1);
    EXPECT_NE(state_of(pid), 'T');
  }
  ASSERT_TRUE(child.stop()) << "a second time";
  const Ending ending = child.end();
  EXPECT_EQ(ending.signal, SIGKILL) << "stopped children die too";
  for (const pid_t pid : tree)
    EXPECT_TRUE(state_of(pid) == 0 || state_of(pid) == 'Z') << pid << state_of(pid);
}

TEST(Child, StoppingOneThatEndedSaysSo) {
  Child child = Child::spawn(shell("exit 0"));
  EXPECT_TRUE(child.wait_end(kLong));
  EXPECT_FALSE(child.stop());
}

TEST(Child, AGrandchildThatLostItsParentDiesToo) {
  Pipe pipe;
  Child child = Child::spawn(shell("(sleep 1000 & echo $!) ; exit 3", pipe.writer.get()));
  pipe.writer.reset();
  const auto orphan = static_cast<pid_t>(std::stoi(pipe.line()));
  EXPECT_TRUE(child.wait_end(kLong));
  EXPECT_EQ(child.end().exit_code, 3);
  const char state = state_of(orphan);
  EXPECT_TRUE(state == 0 || state == 'Z') << state;
}

TEST(Child, AThousandLeaveNothing) {
  Child::spawn(shell("exit 0")).end();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 1000; ++i) Child::spawn({.program = "/bin/true"});
  EXPECT_EQ(open_descriptors(), before);
  siginfo_t info{};
  EXPECT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1) << "no child is left";
}

TEST(Tree, ReadsResidentMemoryOfAProcess) {
  EXPECT_GT(resident_bytes(::getpid()), 1u << 20);
  EXPECT_EQ(resident_bytes(-5), 0u);
  EXPECT_EQ(state_of(-5), 0);
}

}  // namespace
}  // namespace inferometer::process
