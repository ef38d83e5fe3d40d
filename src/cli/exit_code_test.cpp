// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "base/file.hpp"
#include "cli/verdict.hpp"

namespace inferometer::cli {
namespace {

TEST(ExitCode, EveryStatusHasItsOwn) {
  std::set<int> codes = {kExitCheckFailed, kExitUsage, kExitInternal};
  for (int i = 0; i <= static_cast<int>(Status::Skipped); ++i)
    EXPECT_TRUE(codes.insert(exit_code(static_cast<Status>(i))).second) << i;
  EXPECT_EQ(exit_code(Status::Ok), 0);
}

// docs/cli.md has these rows in this order, and no others.
TEST(ExitCode, TheDocumentHasTheSameTable) {
  std::string table = "| code | word | meaning |\n|---:|---|---|\n";
  for (const ExitRow& row : exit_rows())
    table += fmt::format("| {} | {} | {} |\n", row.code, row.word, row.meaning);
  const std::string text = read_text(INFEROMETER_DOCS_DIR "/cli.md");
  EXPECT_NE(text.find(table + "\n"), std::string::npos) << "docs/cli.md must hold:\n" << table;
}

measure::Outcome with_status(Status status) {
  measure::Outcome outcome;
  outcome.status = status;
  return outcome;
}

TEST(Verdict, AMismatchFailsACheckWhateverElseFailed) {
  const std::vector<measure::Outcome> outcomes = {with_status(Status::Unavailable),
                                                  with_status(Status::Mismatch)};
  Reply reply;
  judge_check(reply, outcomes, Interrupted::No);
  EXPECT_EQ(reply.exit, kExitCheckFailed);
  EXPECT_EQ(reply.status, Status::Mismatch);
}

TEST(Verdict, ARunEndsWithTheCodeOfItsFirstFailure) {
  const std::vector<measure::Outcome> outcomes = {with_status(Status::Ok),
                                                  with_status(Status::Crashed)};
  Reply reply;
  judge_run(reply, outcomes, Interrupted::No);
  EXPECT_EQ(reply.exit, exit_code(Status::Crashed));
  judge_bench(reply, outcomes, Interrupted::No);
  EXPECT_EQ(reply.exit, kExitCheckFailed);
  judge_bench(reply, std::span(outcomes).first(1), Interrupted::No);
  EXPECT_EQ(reply.exit, kExitOk);
}

TEST(Verdict, AnInterruptionIsSkippedWhateverFailed) {
  const std::vector<measure::Outcome> outcomes = {with_status(Status::Mismatch)};
  for (const auto judge : {judge_check, judge_run, judge_bench}) {
    Reply reply;
    judge(reply, outcomes, Interrupted::Yes);
    EXPECT_EQ(reply.exit, exit_code(Status::Skipped));
    EXPECT_EQ(reply.status, Status::Skipped);
  }
}

}  // namespace
}  // namespace inferometer::cli
