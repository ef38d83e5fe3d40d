// SPDX-License-Identifier: Apache-2.0
// Workers that are lost: each way has its status, and nothing is left behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <csignal>
#include <sstream>

#include "process/child.hpp"
#include "process/remote.hpp"
#include "process/tree.hpp"
#include "rogue.hpp"

namespace inferometer::process {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

bool gone(pid_t pid) {
  const char state = state_of(pid);
  return state == 0 || state == 'Z';
}

struct Loss {
  const char* act;
  Status status;
  const char* text;
};
void PrintTo(const Loss& loss, std::ostream* out) {
  *out << loss.act;
}

class LostWorker : public ::testing::TestWithParam<Loss> {};

TEST_P(LostWorker, HasItsStatusAndStaysLost) {
  WorkerOptions options = rogue();
  options.limits.call = milliseconds(GetParam().status == Status::Timeout ? 300 : 60'000);
  options.limits.memory_bytes = 600u << 20;
  Worker worker(options);
  worker.load("/m.onnx", {{"act", GetParam().act}});
  const pid_t pid = worker.pid();
  const Inputs in;
  const Error error = error_of([&] { worker.predict(in.views); });
  EXPECT_EQ(error.code(), GetParam().status) << error.what();
  EXPECT_THAT(error.what(), HasSubstr(GetParam().text));
  EXPECT_EQ(error.context().at("stage"), "predict");
  EXPECT_FALSE(worker.alive());
  EXPECT_EQ(state_of(pid), 0) << "reaped";
  EXPECT_STREQ(error_of([&] { worker.explain(); }).what(), error.what());
  EXPECT_STREQ(error_of([&] { worker.park(); }).what(), error.what());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, LostWorker,
    ::testing::Values(Loss{"crash", Status::Crashed, "killed by signal 11 (SIGSEGV)"},
                      Loss{"abort", Status::Crashed, "killed by signal 6 (SIGABRT)"},
                      Loss{"exit", Status::Crashed, "ended with exit code 17"},
                      Loss{"hang", Status::Timeout, "took longer than 300 ms"},
                      Loss{"eat", Status::OutOfMemory, "the limit is 629145600"},
                      Loss{"garbage", Status::Crashed, "broke the protocol: message refused"}),
    [](const auto& test) { return std::string(test.param.act); });

class WrongGreeting : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(WrongGreeting, IsACleanError) {
  WorkerOptions options = rogue({{"ROGUE_GREETING", GetParam().first}});
  options.limits.start = milliseconds(GetParam().first == std::string("silent") ? 300 : 60'000);
  const Error error = error_of([&] { Worker worker(options); });
  EXPECT_EQ(error.code(),
            GetParam().first == std::string("silent") ? Status::Timeout : Status::Crashed);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().second));
  EXPECT_EQ(error.context().at("stage"), "hello");
  siginfo_t info{};
  EXPECT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1) << "no child is left";
}

INSTANTIATE_TEST_SUITE_P(
    Ways, WrongGreeting,
    ::testing::Values(std::pair("garbage", "magic"), std::pair("oversize", "1099511627776 bytes"),
                      std::pair("truncated", "ended inside a body"),
                      std::pair("sequence", "an answer to something else"),
                      std::pair("request", "an answer to something else"),
                      std::pair("not_json", "failure message"),
                      std::pair("silent", "took longer than 300 ms"),
                      std::pair("closed", "closed its socket and went on living"),
                      std::pair("exit", "exit code 9")),
    [](const auto& test) { return std::string(test.param.first); });

TEST(OtherGreeting, IsUnavailable) {
  const Error error = error_of([] { Worker worker(rogue({{"ROGUE_GREETING", "other_version"}})); });
  EXPECT_EQ(error.code(), Status::Unavailable);
  EXPECT_THAT(error.what(), HasSubstr("another protocol version"));
}

TEST(LostWorkerLog, TellsWhatItPrintedLast) {
  WorkerOptions options = rogue();
  options.limits.memory_bytes = 600u << 20;
  Worker worker(options);
  worker.load("/m.onnx", {{"act", "eat"}});
  const Inputs in;
  const Error error = error_of([&] { worker.predict(in.views); });
  EXPECT_EQ(error.code(), Status::OutOfMemory);
}

TEST(LostWorkerLog, WithoutEndHidesNoLimit) {
  WorkerOptions options = rogue();
  options.limits.call = milliseconds(300);
  std::vector<char> work;
  // Slower than the worker prints, so that there is always more to read.
  options.log = [&](std::string_view text) { work.assign(32u << 20, text.front()); };
  Worker worker(options);
  worker.load("/m.onnx", {{"act", "babble"}});
  const Inputs in;
  EXPECT_EQ(error_of([&] { worker.predict(in.views); }).code(), Status::Timeout);
}

TEST(Probe, ACrashIsAReasonAndTheOthersGoOn) {
  const auto statuses = probe_engines({"fine", "crashing", "well"}, milliseconds(60'000), rogue());
  ASSERT_EQ(statuses.size(), 3u);
  EXPECT_TRUE(statuses[0].available);
  EXPECT_FALSE(statuses[1].available);
  EXPECT_THAT(statuses[1].reason, HasSubstr("SIGSEGV"));
  EXPECT_TRUE(statuses[2].available);
}

TEST(Tree, AChildOfAnEngineEndsWithItsWorker) {
  pid_t child = 0;
  {
    WorkerOptions options = rogue();
    options.log = [&](std::string_view text) {
      if (const auto at = text.find("child "); at != std::string_view::npos)
        child = std::stoi(std::string(text.substr(at + 6)));
    };
    Worker worker(options);
    worker.load("/m.onnx", {{"act", "child"}});
    const Inputs in;
    worker.predict(in.views);
    EXPECT_EQ(worker.process_tree().size(), 2u);
    worker.park();
    for (const pid_t pid : worker.process_tree()) EXPECT_TRUE(all_stopped(pid));
  }
  ASSERT_GT(child, 0);
  EXPECT_TRUE(gone(child));
}

TEST(Parent, KilledLeavesNoStoppedOrOrphanedWorker) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  Child parent =
      Child::spawn({.program = DOOMED_PARENT, .arguments = {ROGUE_WORKER}, .output = writer.get()});
  writer.reset();
  std::string line;
  for (char c = 0; ::read(reader.get(), &c, 1) == 1 && c != '\n';) line.push_back(c);
  int parked = 0, busy = 0;
  ASSERT_TRUE(std::istringstream(line) >> parked >> busy) << line;
  EXPECT_TRUE(all_stopped(parked));
  ::kill(parent.pid(), SIGKILL);  // that process alone: the workers have sessions of their own
  for (const int pid : {parked, busy}) {
    for (int tries = 0; tries < 20'000 && !gone(pid); ++tries) ::poll(nullptr, 0, 1);
    EXPECT_TRUE(gone(pid)) << pid << " is " << state_of(pid);
  }
}

}  // namespace
}  // namespace inferometer::process
