// SPDX-License-Identifier: Apache-2.0
#include "campaign/journal_join.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "campaign/fake_journal.hpp"
#include "campaign/journal_contents.hpp"
#include "campaign/summary.hpp"

namespace inferometer::campaign {
namespace {

using testing::HasSubstr;

struct Join : testing::Test {
  // Written once: every line of them is synchronised with the disk.
  static const std::vector<std::string>& of_two_machines() {
    static const std::vector<std::string> both = [] {
      FakeLab lab;
      auto one = journal_text(lab);
      lab.machine_name = "other";
      return std::vector{one, journal_text(lab)};
    }();
    return both;
  }

  Join() {
    write_text_atomic(a.path, texts[0]);
    write_text_atomic(b.path, texts[1]);
  }

  std::vector<JoinedPart> go(const std::vector<std::filesystem::path>& paths) {
    return join_journals(paths, out.path);
  }
  std::string refusal_of(const std::vector<std::filesystem::path>& paths) {
    try {
      go(paths);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Status::Invalid);
      return error.what();
    }
    return "accepted";
  }

  FakeLab lab;
  const std::vector<std::string>& texts = of_two_machines();
  ScratchFile a{"a.jsonl"}, b{"b.jsonl"}, c{"c.jsonl"}, out{"out.jsonl"};
};

TEST_F(Join, CopiesWholeLinesAndLaunchesStayApart) {
  const auto parts = go({a.path, b.path});
  EXPECT_EQ(read_text(out.path), texts[0] + texts[1]);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].lines, lines_of(texts[0]).size());
  EXPECT_EQ(parts[0].torn_bytes, 0u);
  const auto journals = read_journals(out.path);
  ASSERT_EQ(journals.size(), 2u);
  const auto one = summarise(parse_journal(texts[0], "a")), same = summarise(journals[0]);
  ASSERT_EQ(one.size(), same.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(measure::to_json(one[i]), measure::to_json(same[i]));
    EXPECT_EQ(one[i].values.at("launches"), 1);
  }
}

TEST_F(Join, ATornLastLineIsLeftOutAndTold) {
  write_text_atomic(a.path, texts[0].substr(0, texts[0].size() - 9));
  const auto parts = go({a.path, b.path});
  EXPECT_GT(parts[0].torn_bytes, 0u);
  const auto whole = texts[0].substr(0, texts[0].rfind('\n', texts[0].size() - 2) + 1);
  EXPECT_EQ(read_text(out.path), whole + texts[1]);
}

TEST_F(Join, TheSameJournalTwiceIsRefused) {
  EXPECT_THAT(refusal_of({a.path, b.path, a.path}), HasSubstr("the same journal was given before"));
  // Another copy of it, from before it was resumed.
  const auto lines = lines_of(texts[0]);
  write_text_atomic(c.path, text_of({lines.begin(), lines.begin() + 3}));
  EXPECT_THAT(refusal_of({a.path, c.path}), HasSubstr(a.path.string()));
  EXPECT_FALSE(std::filesystem::exists(out.path));
}

TEST_F(Join, WhatWasJoinedIsJoinedAgain) {
  go({a.path, b.path});
  std::filesystem::rename(out.path, c.path);
  EXPECT_THAT(refusal_of({c.path, b.path}), HasSubstr("the same journal"));
  lab.machine_name = "third";
  write_text_atomic(a.path, journal_text(lab));
  const auto parts = go({c.path, a.path});
  EXPECT_EQ(parts[0].journals, 2u);
  EXPECT_EQ(read_journals(out.path).size(), 3u);
}

TEST_F(Join, LeavesAnExistingFileAlone) {
  write_text_atomic(out.path, "precious");
  EXPECT_THAT(refusal_of({a.path, b.path}), HasSubstr("exists"));
  EXPECT_EQ(read_text(out.path), "precious");
}

TEST_F(Join, RefusesWhatIsNoJournal) {
  write_text_atomic(c.path, "shopping list\neggs\n");
  EXPECT_THAT(refusal_of({a.path, c.path}), HasSubstr("line 1"));
  write_text_atomic(c.path, "{\"line\":\"hea");
  EXPECT_THAT(refusal_of({a.path, c.path}), HasSubstr("no whole line"));
  EXPECT_THAT(refusal_of({a.path, "/nowhere/j.jsonl"}), HasSubstr("/nowhere/j.jsonl"));
  EXPECT_FALSE(std::filesystem::exists(out.path));
}

TEST_F(Join, ResumeRefusesTheResult) {
  go({a.path, b.path});
  auto options = small_bench();
  options.journal = out.path;
  options.resume = true;
  try {
    bench(options, lab, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("joined from 2 journals"));
  }
}

struct Contents : testing::Test {
  Contents() { options.batch_sizes = {1, 4}; }
  JournalContents of(const std::string& text) {
    auto all = contents_of({text, "j.jsonl"});
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }

  FakeLab lab;
  BenchOptions options = small_bench();
};

TEST_F(Contents, CountWhatIsThere) {
  lab.scripts["fast"].at_load = Error(Status::Crashed, "signal 11");
  const auto text = journal_text(lab, options);
  const auto contents = of(text);
  EXPECT_EQ(contents.lines, lines_of(text).size());
  EXPECT_EQ(contents.header.fingerprint.at("machine"), lab.machine());
  ASSERT_EQ(contents.launches.size(), 2u);
  for (const auto& launch : contents.launches) {
    EXPECT_EQ(launch.rounds, 4);
    EXPECT_EQ(launch.planned, 4);
    EXPECT_EQ(launch.rejected, 0);
    EXPECT_EQ(launch.ending, Ending::Complete);
    EXPECT_EQ(launch.cell_ids.size(), 8u);
  }
  ASSERT_EQ(contents.cells.size(), 16u);
  for (const auto& cell : contents.cells) {
    const bool fast = cell.cell.engine == "fast";
    EXPECT_EQ(cell.status, fast ? Status::Crashed : Status::Ok);
    EXPECT_EQ(cell.reason, fast ? "signal 11" : "");
    EXPECT_EQ(cell.launches, 1);
    EXPECT_EQ(cell.complete, fast ? 0 : 1);
  }
}

TEST_F(Contents, TellHowALaunchEnded) {
  const ScratchFile file("endings.jsonl");
  options.journal = file.path;
  std::stop_source stop;
  lab.on_event = [&](const std::string& event) {
    if (event == "canary" && lab.count(event) == 8) stop.request_stop();
  };
  bench(options, lab, {}, stop.get_token());
  const auto text = read_text(file.path);
  auto contents = of(text);
  ASSERT_EQ(contents.launches.size(), 2u);
  EXPECT_EQ(contents.launches[0].ending, Ending::Complete);
  EXPECT_EQ(contents.launches[1].ending, Ending::Interrupted);
  EXPECT_EQ(contents.launches[1].rounds, 2);

  const auto lines = lines_of(text);
  const auto end = places_of(lines, "launch_end").back();
  contents = of(text_of({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(end)}) + "{");
  EXPECT_EQ(contents.launches[1].ending, Ending::Open);
  EXPECT_EQ(contents.torn_bytes, 1u);
}

TEST_F(Contents, ACellThatNothingMetIsSkippedUntilItRuns) {
  const ScratchFile file("skipped.jsonl");
  options.journal = file.path;
  std::stop_source stop;
  stop.request_stop();
  bench(options, lab, {}, stop.get_token());
  for (const auto& cell : of(read_text(file.path)).cells) EXPECT_EQ(cell.status, Status::Skipped);
  options.resume = true;
  bench(options, lab, {});
  const auto contents = of(read_text(file.path));
  EXPECT_EQ(contents.cells.size(), 16u);
  for (const auto& cell : contents.cells) EXPECT_EQ(cell.status, Status::Ok);
}

TEST_F(Contents, AnEmptyOrJoinedFile) {
  EXPECT_TRUE(of("").header.version.empty());
  EXPECT_TRUE(of("{\"line\"").header.version.empty());
  const auto text = journal_text(lab, options);
  const auto joined = text + text;
  EXPECT_EQ(contents_of({joined, "both"}).size(), 2u);
  const auto json = to_json(contents_of({joined, "both"})[1]);
  EXPECT_EQ(json["launches"][0]["ending"], "complete");
  EXPECT_EQ(json["cells"].size(), 16u);
}

}  // namespace
}  // namespace inferometer::campaign
