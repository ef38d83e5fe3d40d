// SPDX-License-Identifier: Apache-2.0
// Every way to spoil a good journal is named with its line.
#include "campaign/journal_verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "campaign/fake_journal.hpp"
#include "campaign/journal_contents.hpp"
#include "campaign/summary.hpp"

namespace inferometer::campaign {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> told(const Verified& verified) {
  std::vector<std::string> texts;
  for (const auto& finding : verified.findings)
    texts.push_back((finding.kind == Finding::Kind::Warning ? "warning " : "") +
                    std::to_string(finding.line) + ": " + finding.text);
  return texts;
}

std::vector<std::string> told(const Lines& lines) {
  return told(verify_journal(text_of(lines)));
}

struct Verify : testing::Test {
  Verify() : lines(good()) {}

  // Written once: every line of it is synchronised with the disk.
  static const Lines& good() {
    static const Lines lines = [] {
      FakeLab lab;
      auto options = small_bench();
      options.launches = 2;
      return lines_of(journal_text(lab, options));
    }();
    return lines;
  }

  std::size_t place(const std::string& kind, std::size_t number = 0) const {
    return places_of(lines, kind).at(number);
  }
  Json& line(const std::string& kind, std::size_t number = 0) {
    return lines.at(place(kind, number));
  }
  Json& block(std::size_t round) { return line("round", round).at("blocks").at(0); }
  void erase(std::size_t at) { lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at)); }
  void insert(std::size_t at, Json json) {
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::move(json));
  }

  // Outcome lines would differ too; each test is about one thing.
  void drop_outcomes() {
    std::erase_if(lines, [](const Json& json) { return json.at("line") == "outcome"; });
  }
  void expect(std::size_t at, const std::string& text) const {
    EXPECT_THAT(told(lines),
                ElementsAre(AllOf(StartsWith(std::to_string(at + 1) + ": "), HasSubstr(text))));
  }

  FakeLab lab;
  Lines lines;
};

TEST_F(Verify, AGoodJournalHasNothingToTell) {
  const auto verified = verify_journal(text_of(lines));
  EXPECT_THAT(told(verified), IsEmpty());
  EXPECT_EQ(verified.lines, lines.size());
  EXPECT_EQ(verified.journals, 1u);
}

TEST_F(Verify, WhatAKillLeavesIsNoProblem) {
  const auto text = text_of(lines);
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1))
    for (const auto size : {end / 2, end, end + 1}) {
      const auto verified = verify_journal(std::string_view(text).substr(0, size));
      EXPECT_EQ(verified.problems, 0u) << size << testing::PrintToString(told(verified));
      EXPECT_EQ(verified.warnings, text[size - 1] == '\n' ? 0u : 1u) << size;
    }
}

TEST_F(Verify, ResumedAndFailingJournalsAreGood) {
  const ScratchFile file("resumed.jsonl");
  auto options = small_bench();
  options.journal = file.path;
  options.launches = 3;
  std::stop_source stop;
  lab.events.clear();
  lab.on_event = [&](const std::string& event) {
    if (event == "canary" && lab.count(event) == 7) stop.request_stop();
  };
  bench(options, lab, {}, stop.get_token());
  EXPECT_THAT(told(verify_journal(read_text(file.path))), IsEmpty());
  lab.on_event = [&](const std::string& event) {
    if (event != "load slow") return;
    lab.scripts["fast"].at_block = Error(Status::Crashed, "signal 9");
    lab.scripts["fast"].block_number = 6;
  };
  options.resume = true;
  const auto result = bench(options, lab, {});
  EXPECT_TRUE(std::ranges::any_of(
      result.outcomes, [](const auto& outcome) { return outcome.status == Status::Crashed; }));
  EXPECT_THAT(told(verify_journal(read_text(file.path))), IsEmpty());
}

TEST_F(Verify, ATornLineIsAWarning) {
  auto text = text_of(lines);
  text.resize(text.size() - 10);
  const auto all = told(verify_journal(text));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0], HasSubstr("warning " + std::to_string(lines.size()) + ": torn"));
  EXPECT_THAT(told(verify_journal("{\"line\":\"hea"))[0], HasSubstr("warning 1: ends before"));
  EXPECT_THAT(told(verify_journal(""))[0], HasSubstr("warning 1: ends before"));
  EXPECT_THAT(told(verify_journal("eggs"))[0], HasSubstr("1: is no journal"));
}

TEST_F(Verify, AnUnreadableLineIsNamedAndLaterOnesAreReadAllTheSame) {
  const auto at = place("round", 1), later = place("round", 2);
  lines[at]["surprise"] = 1;
  lines[later]["rejected"] = "no";
  const auto all = told(lines);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[0], HasSubstr(std::to_string(at + 1) + ": key 'surprise'"));
  EXPECT_THAT(all[1], HasSubstr(std::to_string(later + 1) + ": key 'rejected'"));
}

TEST_F(Verify, TheFirstLineIsAHeader) {
  erase(0);
  EXPECT_THAT(told(lines)[0], HasSubstr("1: the first line is no header"));
}

TEST_F(Verify, ARoundNeedsItsLaunch) {
  drop_outcomes();
  line("round", 0)["launch"] = 7;
  const auto all = told(lines);
  EXPECT_THAT(all[0], HasSubstr("round 1 of launch 7 of 'm.onnx batch 1': no such launch"));
  EXPECT_THAT(all[1], HasSubstr("lines between them are missing"));
  EXPECT_EQ(all.size(), 2u);
}

TEST_F(Verify, ARoundStandsOnce) {
  drop_outcomes();
  const auto at = place("round", 1);
  insert(at + 1, lines[at]);
  expect(at + 1, "round 2 follows round 2: it stands twice");
}

TEST_F(Verify, RoundsAscend) {
  drop_outcomes();
  const auto at = place("round", 1);
  std::swap(lines[at], lines[at + 1]);
  const auto all = told(lines);
  EXPECT_THAT(all[0], HasSubstr("round 3 follows round 1: lines between"));
  EXPECT_THAT(all[1], HasSubstr("round 2 follows round 3: it stands twice or out of order"));
  EXPECT_EQ(all.size(), 2u);
}

TEST_F(Verify, AMissingRoundIsSeen) {
  drop_outcomes();
  const auto at = place("round", 1);
  erase(at);
  expect(at, "round 3 follows round 1: lines between them are missing");
}

TEST_F(Verify, MoreRoundsThanPlannedAreSeen) {
  drop_outcomes();
  line("launch")["rounds"] = 3;
  expect(place("round", 3), "round 4 of a launch of 3 rounds");
}

TEST_F(Verify, ALaunchStandsOnce) {
  drop_outcomes();
  const auto at = place("launch", 1);
  insert(at, lines[place("launch")]);
  expect(at, "launch 1 of 'm.onnx batch 1' stands twice");
}

TEST_F(Verify, LaunchNumbersGrow) {
  drop_outcomes();
  auto other = line("launch");
  other["group"] = "m.onnx batch 9";
  insert(lines.size(), other);
  expect(lines.size() - 1, "launch 1 of 'm.onnx batch 9' follows launch 2");
}

TEST_F(Verify, ALaunchHasEachCellOnceAndItsControlAmongThem) {
  drop_outcomes();
  auto& cells = line("launch")["cells"];
  cells.push_back(cells[0]);
  expect(place("launch"), "twice");
  cells.erase(cells.size() - 1);
  line("launch")["controls"][0] = "somebody";
  expect(place("launch"), "cell somebody, is not among its cells");
}

TEST_F(Verify, NothingFollowsALaunchsEnd) {
  drop_outcomes();
  const auto at = place("launch_end");
  insert(at + 1, line("launch_end"));
  expect(at + 1, "that launch has ended");
  lines[at + 1] = line("round", 3);
  lines[at + 1]["round"] = 0;
  lines[at + 1]["blocks"] = Json::array();
  expect(at + 1, "that launch has ended");
}

TEST_F(Verify, AnEndNeedsItsLaunch) {
  drop_outcomes();
  line("launch_end", 1)["launch"] = 3;
  expect(place("launch_end", 1), "the end of launch 3 of 'm.onnx batch 1': no such launch");
}

TEST_F(Verify, CellsAreAnnounced) {
  drop_outcomes();
  block(1)["cell_ids"][0] = "somebody";
  expect(place("round", 1), "its launch did not announce cell somebody");
}

TEST_F(Verify, ACellHasOneBlockARound) {
  drop_outcomes();
  auto& blocks = line("round", 1)["blocks"];
  blocks[1]["cell_ids"] = blocks[0]["cell_ids"];
  EXPECT_THAT(told(lines)[0], HasSubstr("twice"));
}

TEST_F(Verify, APassHasEachCellOnce) {
  drop_outcomes();
  const auto at = place("round", 4);  // the first after four rounds
  ASSERT_EQ(lines[at]["round"], 0);
  insert(at + 1, lines[at]);
  expect(at + 1, "round 0 has cell");
}

TEST_F(Verify, WorkloadsStandWhereTheyBelong) {
  drop_outcomes();
  const auto at = place("round", 4);
  lines[at]["blocks"][0]["cell_ids"] = block(0)["cell_ids"];
  EXPECT_THAT(told(lines)[0], HasSubstr("measures throughput, which belongs into later rounds"));
}

TEST_F(Verify, BlocksAreWhole) {
  drop_outcomes();
  const auto good = block(1);
  const auto at = place("round", 1);
  block(1)["timings_ns"].push_back(5);
  expect(at, "timings for");
  block(1) = good;
  block(1)["timings_ns"] = Json{good["wall_ns"]};
  expect(at, "1 timings for");
  for (auto& cell : line("launch")["cells"]) cell["params"]["in_flight"] = 2;
  EXPECT_THAT(told(lines), IsEmpty()) << "one for all of them, with several batches in flight";
  block(1) = good;
  block(1)["timings_ns"][0] = good["wall_ns"].get<std::int64_t>() * 2;
  expect(at, "more than its wall time");
  block(1) = good;
  block(1)["samples"] = good["batches"].get<std::int64_t>() - 1;
  expect(at, "samples are no whole rows");
  block(1) = good;
  block(1)["batches"] = 0;
  expect(at, "it has no batch");
}

TEST_F(Verify, SeveralBatchesInFlightAreGood) {
  auto options = small_bench();
  options.params = {{"in_flight", {2}}};
  EXPECT_THAT(told(verify_journal(journal_text(lab, options))), IsEmpty());
}

TEST_F(Verify, RejectionIsWhatTheCanarySays) {
  drop_outcomes();
  const auto at = place("round", 1);
  lines[at]["rejected"] = true;
  expect(at, "round 2 is rejected, but its canary did not change");
  lines[at]["canary"]["after"]["canary_fma_ns"] = 9'000'000;
  EXPECT_THAT(told(lines), IsEmpty());
  lines[at]["rejected"] = false;
  expect(at, "round 2 is not rejected, but its canary changed");
}

TEST_F(Verify, OutcomesAreWhatTheRoundsSay) {
  const auto at = place("outcome", 1);
  auto& values = lines[at]["outcome"]["values"];
  const auto good = values;
  values["latency_p50_ns"] = 1;
  expect(at, "latency_p50_ns is 1 there and");
  values = good;
  values.erase("rounds");
  expect(at, "rounds is null there and 8 by the rounds");
  values = good;
  values["flops"] = 5;
  EXPECT_THAT(told(lines), testing::Contains(HasSubstr("flops is 5 there")));
  values = good;
  lines[at]["outcome"]["warnings"] = {"all is well"};
  expect(at, "warnings is");
  lines[at]["outcome"]["status"] = "skipped";
  expect(at, "status is");
}

TEST_F(Verify, TheLastDigitsOfAFigureMayDiffer) {
  auto& rate = line("outcome")["outcome"]["values"]["throughput_samples_per_s"];
  rate = rate.get<double>() * (1 + 1e-12);
  EXPECT_THAT(told(lines), IsEmpty());
  rate = rate.get<double>() * (1 + 1e-6);
  expect(place("outcome"), "throughput_samples_per_s");
}

TEST_F(Verify, ASpoiltRoundShowsInTheOutcomes) {
  block(1)["wall_ns"] = 2 * block(1)["wall_ns"].get<std::int64_t>();
  EXPECT_THAT(told(lines), testing::Contains(HasSubstr("throughput_mean_samples_per_s")));
}

TEST_F(Verify, AnOutcomeNeedsALaunch) {
  auto& outcome = line("outcome")["outcome"];
  outcome["cell_id"] = "somebody";
  EXPECT_THAT(told(lines), testing::Contains(HasSubstr("cell somebody has an outcome, but no")));
}

TEST_F(Verify, AJoinedFileIsCheckedJournalByJournal) {
  lab.machine_name = "other";
  const auto other = journal_text(lab);
  auto verified = verify_journal(text_of(lines) + other);
  EXPECT_THAT(told(verified), IsEmpty());
  EXPECT_EQ(verified.journals, 2u);
  const auto all = told(verify_journal(other + text_of(lines) + other));
  ASSERT_EQ(all.size(), 1u);
  const auto at = lines_of(other).size() + lines.size() + 1;
  EXPECT_EQ(all[0], std::to_string(at) + ": the same journal stands in this file twice");
}

// Whatever stands in a stranger's journal is a finding, an Error or a figure.
TEST(VerifyOddities, NothingOddEndsTheProgram) {
  std::size_t accepted = 0, refused = 0;
  const auto look = [&](const std::string& text, const std::string& what) {
    SCOPED_TRACE(what);
    const auto verified = verify_journal(text);
    try {
      for (const auto& outcome : summarise(parse_journal(text, "j")))
        EXPECT_NO_THROW(measure::outcome_from_json(measure::to_json(outcome)));
      EXPECT_FALSE(to_json(contents_of({text, "j"}).front()).empty());
      ++accepted;
    } catch (const Error&) {
      EXPECT_GT(verified.problems, 0u);
      ++refused;
    }
  };
  for (const auto* workload : {"throughput", "memory"}) each_oddity(workload, look);
  EXPECT_GT(accepted, 100u);
  EXPECT_GT(refused, 100u);
}

TEST_F(Verify, FindingsAreBounded) {
  Lines many{lines[0]};
  for (std::size_t i = 0; i < Verified::kMostFindings + 500; ++i) many.push_back(line("round"));
  const auto verified = verify_journal(text_of(many));
  EXPECT_EQ(verified.findings.size(), Verified::kMostFindings);
  EXPECT_EQ(verified.problems, Verified::kMostFindings + 500);
}

}  // namespace
}  // namespace inferometer::campaign
