// SPDX-License-Identifier: Apache-2.0
// What the instrument says of a process whose memory is known.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/file.hpp"
#include "inferometer/error.hpp"
#include "measure/memory.hpp"
#include "measure/memory_cgroup.hpp"
#include "measure/page_cache.hpp"
#include "process/child.hpp"

namespace inferometer {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kTolerance = 2 * kMiB;
constexpr std::int64_t kFileMiB = 48;

// A child that touches what it is told.
class Toucher {
 public:
  Toucher() {
    if (::pipe2(to_.data(), O_CLOEXEC) != 0 || ::pipe2(from_.data(), O_CLOEXEC) != 0) std::abort();
    child_ = std::make_unique<process::Child>(
        process::Child::spawn({.program = TOUCHER, .input = to_[0], .output = from_[1]}));
  }
  ~Toucher() {
    child_.reset();
    for (const int fd : {to_[0], to_[1], from_[0], from_[1]}) ::close(fd);
  }
  Toucher(const Toucher&) = delete;
  Toucher& operator=(const Toucher&) = delete;

  void tell(const std::string& command) {
    const auto line = command + "\n";
    ASSERT_EQ(::write(to_[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
    std::array<char, 5> answer{};
    for (std::size_t got = 0; got < answer.size();) {
      const auto more = ::read(from_[0], answer.data() + got, answer.size() - got);
      ASSERT_GT(more, 0) << "the child has ended";
      got += static_cast<std::size_t>(more);
    }
    ASSERT_EQ(std::string_view(answer.data(), answer.size()), "done\n");
  }
  pid_t pid() const { return child_->pid(); }

 private:
  std::array<int, 2> to_{}, from_{};
  std::unique_ptr<process::Child> child_;
};

class MemoryTruth : public testing::Test {
 protected:
  MemoryTruth() {
    write_text_atomic(file_, std::string(kFileMiB * kMiB, 'x'));
    toucher_.tell("anonymous 1");  // the C++ library's own first pages
  }
  std::int64_t value(const measure::PhaseRecorder& recorder, const char* key) {
    return recorder.values().at(key).get<std::int64_t>();
  }
  ScratchFolder folder_{"inferometer-memory"};
  std::filesystem::path file_ = folder_.path() / "file";
  Toucher toucher_;
};

TEST_F(MemoryTruth, EachKindIsReportedWithinTwoMebibytes) {
  using measure::MemoryPhase;
  measure::PhaseRecorder recorder(toucher_.pid());
  recorder.begin();
  recorder.end(MemoryPhase::Process);
  recorder.begin();
  toucher_.tell("anonymous 150");
  toucher_.tell("file " + file_.string());
  toucher_.tell("shared 37");
  recorder.end(MemoryPhase::Steady);
  const auto grown = [&](const std::string& part) {
    return value(recorder, ("memory_steady" + part + "_bytes").c_str()) -
           value(recorder, ("memory_process" + part + "_bytes").c_str());
  };
  EXPECT_NEAR(grown("_anon"), 150 * kMiB, kTolerance);
  EXPECT_NEAR(grown("_file"), kFileMiB * kMiB, kTolerance);
  EXPECT_NEAR(grown("_shmem"), 37 * kMiB, kTolerance);
  EXPECT_NEAR(grown(""), (150 + kFileMiB + 37) * kMiB, kTolerance);
  EXPECT_NEAR(value(recorder, "memory_run_peak_bytes"), value(recorder, "memory_steady_bytes"),
              kTolerance);
}

// Without the reset a phase would inherit the peak of an earlier one.
TEST_F(MemoryTruth, APeakIsThatOfItsOwnPhase) {
  using measure::MemoryPhase;
  measure::PhaseRecorder recorder(toucher_.pid());
  recorder.begin();
  toucher_.tell("anonymous 200");
  toucher_.tell("free");
  recorder.end(MemoryPhase::Model);
  recorder.begin();
  toucher_.tell("anonymous 60");
  toucher_.tell("free");
  recorder.end(MemoryPhase::Steady);
  const auto left = value(recorder, "memory_steady_bytes");
  EXPECT_NEAR(value(recorder, "memory_load_peak_bytes"), left + 200 * kMiB, kTolerance);
  EXPECT_NEAR(value(recorder, "memory_run_peak_bytes"), left + 60 * kMiB, kTolerance);
}

// ru_maxrss of a fresh process is its parent's; VmHWM after a reset isn't.
TEST(MemoryOfAChild, OwesNothingToALargeParent) {
  constexpr std::size_t kGibibyte = std::size_t{1} << 30;
  void* mine =
      ::mmap(nullptr, kGibibyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mine, MAP_FAILED);
  std::memset(mine, 1, kGibibyte);
  Toucher toucher;
  measure::PhaseRecorder recorder(toucher.pid());
  toucher.tell("anonymous 1");
  recorder.begin();
  recorder.end(measure::MemoryPhase::Process);
  recorder.begin();
  toucher.tell("anonymous 20");
  recorder.end(measure::MemoryPhase::Steady);
  ::munmap(mine, kGibibyte);
  const auto bytes = [&](const char* key) { return recorder.values().at(key).get<std::int64_t>(); };
  EXPECT_NEAR(bytes("memory_run_peak_bytes"), bytes("memory_process_bytes") + 20 * kMiB,
              kTolerance);
}

TEST_F(MemoryTruth, AControlGroupAgreesWithinFivePercent) {
  std::unique_ptr<measure::MemoryCgroup> group;
  try {
    group = std::make_unique<measure::MemoryCgroup>();
  } catch (const Error& error) {
    ASSERT_EQ(error.code(), Status::Unavailable);
    GTEST_SKIP() << error.what();
  }
  {
    Toucher toucher;
    group->add(toucher.pid());
    measure::PhaseRecorder recorder(toucher.pid());
    recorder.begin();
    toucher.tell("anonymous 300");
    toucher.tell("free");
    toucher.tell("file " + file_.string());
    toucher.tell("shared 40");
    recorder.end(measure::MemoryPhase::Steady);
    const auto peak = static_cast<double>(value(recorder, "memory_run_peak_bytes"));
    EXPECT_NEAR(static_cast<double>(group->peak_bytes()) / peak, 1, 0.05);
  }
}

}  // namespace
}  // namespace inferometer
