// SPDX-License-Identifier: Apache-2.0
#include "campaign/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace inferometer::campaign {
namespace {

using testing::HasSubstr;

measure::Outcome outcome(const std::string& id) {
  return {.cell_id = id,
          .cell = {"m.onnx", "null", "null", {{"batch_size", 4}}, "throughput"},
          .values = {{"throughput_samples_per_s", 12.5}}};
}

Round round_of(std::int64_t number) {
  return {.launch = 1,
          .group = "m.onnx",
          .round = number,
          .canary = {{"before", {{"canary_fma_ns", 10}}}, {"after", {{"canary_fma_ns", 11}}}},
          .blocks = {{{"a"}, 2, 8, 800, {399, 401}, Json::object()},
                     {{"b"}, 1, 4, 300, {300}, Json::object()}}};
}

Header header() {
  return {"0.1.0", "2026-01-31T12:00:00Z", {{"machine_id", "m1"}, {"machine", {{"cpu", "x"}}}}};
}

Launch launch() {
  return {1,
          "m.onnx",
          {"a"},
          3,
          2.5,
          "2026-01-31T12:00:01Z",
          {{"steal_ns", 5}},
          {outcome("a"), outcome("b")}};
}

LaunchEnd launch_end() {
  return {1,   "m.onnx", "2026-01-31T12:00:09Z", {{"steal_ns", 7}},
          7.5, 0.0125,   std::nullopt,           {{.cell_ids = {"a"}, .wall_ns = 9}}};
}

std::string example() {
  JournalMemory memory;
  memory.append(to_json(header()));
  memory.append(to_json(launch()));
  for (std::int64_t number = 1; number <= 3; ++number) memory.append(to_json(round_of(number)));
  memory.append(to_json(launch_end()));
  memory.append(outcome_line(outcome("a")));
  return memory.text();
}

std::string message_of(const std::string& text) {
  try {
    parse_journal(text, "j.jsonl");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    return error.what();
  }
  return "";
}

std::size_t lines_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

std::filesystem::path scratch(const std::string& name) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("inferometer_journal_" + std::to_string(::getpid()) + "_" + name);
  std::filesystem::remove(path);
  return path;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The writers know no list of keys: what they write is what the tables say.
TEST(JournalSchema, WritersWriteWhatTheTablesSay) {
  const Json lines[] = {to_json(header()), to_json(launch()), to_json(round_of(1)),
                        to_json(launch_end()), outcome_line(outcome("a"))};
  ASSERT_EQ(std::size(lines), journal_lines().size());
  for (std::size_t i = 0; i < std::size(lines); ++i) {
    const auto& spec = journal_lines()[i];
    EXPECT_EQ(lines[i].at("line"), spec.name);
    EXPECT_NO_THROW(check_object(lines[i], spec)) << spec.name;
    EXPECT_EQ(lines[i].size(), spec.keys.size());
    for (std::size_t key = 0; key < spec.keys.size(); ++key)
      EXPECT_EQ(std::next(lines[i].begin(), static_cast<std::ptrdiff_t>(key)).key(),
                spec.keys[key].name)
          << "as the document lists them";
  }
}

TEST(JournalSchema, EveryKeyIsExplainedAndEveryObjectDescribed) {
  std::set<std::string_view> objects;
  for (const auto& object : journal_objects()) objects.insert(object.name);
  const auto check = [&](const ObjectSpec& spec) {
    EXPECT_TRUE(spec.help.ends_with('.')) << spec.name;
    for (const auto& key : spec.keys) {
      EXPECT_TRUE(key.help.ends_with('.') || key.help.ends_with(',')) << key.name;
      EXPECT_TRUE(!key.type.spec || objects.contains(key.type.spec->name)) << key.name;
    }
  };
  for (const auto& line : journal_lines()) check(line);
  for (const auto& object : journal_objects()) check(object);
  const auto json = schema_json();
  EXPECT_EQ(json["schema"], kJournalSchema);
  EXPECT_EQ(json["lines"].size(), journal_lines().size());
  EXPECT_EQ(json["quantities"].size(), measure::fields().size());
}

TEST(Journal, ReadsBackWhatWasWritten) {
  const auto journal = parse_journal(example(), "j.jsonl");
  EXPECT_EQ(to_json(journal.header), to_json(header()));
  ASSERT_EQ(journal.launches.size(), 1u);
  EXPECT_EQ(to_json(journal.launches[0]), to_json(launch()));
  ASSERT_EQ(journal.rounds.size(), 3u);
  EXPECT_EQ(to_json(journal.rounds[1]), to_json(round_of(2)));
  ASSERT_EQ(journal.ends.size(), 1u);
  EXPECT_EQ(to_json(journal.ends[0]), to_json(launch_end()));
  ASSERT_EQ(journal.outcomes.size(), 1u);
  EXPECT_EQ(measure::to_json(journal.outcomes[0]), measure::to_json(outcome("a")));
  EXPECT_EQ(journal.whole_bytes, example().size());
}

TEST(Journal, TruncatedAtEveryByteKeepsEveryWholeLine) {
  const auto text = example();
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto cut = std::string_view(text).substr(0, size);
    const auto journal = parse_journal(cut, "j.jsonl");
    const auto lines = lines_in(cut);
    EXPECT_EQ(!journal.header.version.empty(), lines >= 1) << size;
    EXPECT_EQ(journal.launches.size(), lines >= 2 ? 1u : 0u) << size;
    EXPECT_EQ(journal.rounds.size(), lines < 3 ? 0u : std::min<std::size_t>(lines - 2, 3)) << size;
    EXPECT_EQ(journal.ends.size(), lines >= 6 ? 1u : 0u) << size;
    EXPECT_EQ(journal.whole_bytes, cut.rfind('\n') + 1) << size;
  }
}

TEST(Journal, TheLastOutcomeOfACellStands) {
  auto later = outcome("a");
  later.values["throughput_samples_per_s"] = 99;
  const auto journal = parse_journal(example() + outcome_line(later).dump() + "\n", "j.jsonl");
  ASSERT_EQ(journal.outcomes.size(), 1u);
  EXPECT_EQ(journal.outcomes[0].values["throughput_samples_per_s"], 99);
}

TEST(Journal, ACorruptMiddleLineIsNamed) {
  auto text = example();
  const auto third = text.find('\n', text.find('\n') + 1) + 1;
  text[third + 3] = '\x01';
  EXPECT_THAT(message_of(text), HasSubstr("j.jsonl: line 3"));
}

TEST(Journal, EveryHeaderBeginsAJournal) {
  auto other = header();
  other.fingerprint["machine_id"] = "m2";
  const auto text = example() + to_json(other).dump() + "\n" + to_json(launch()).dump() + "\n{";
  const auto journals = parse_journals(text, "both.jsonl");
  ASSERT_EQ(journals.size(), 2u);
  EXPECT_EQ(journals[0].name, "both.jsonl#1");
  EXPECT_EQ(journals[0].rounds.size(), 3u);
  EXPECT_EQ(journals[1].name, "both.jsonl#2");
  EXPECT_EQ(journals[1].header.fingerprint["machine_id"], "m2");
  EXPECT_EQ(journals[1].launches.size(), 1u);
  EXPECT_EQ(journals[1].rounds.size(), 0u);
  EXPECT_NE(journal_key(journals[0]), journal_key(journals[1]));
  EXPECT_THAT(message_of(text), HasSubstr("joined from 2 journals"));
}

TEST(Journal, AnotherVersionsJournalIsRefusedByName) {
  const auto message = message_of(
      "{\"line\":\"header\",\"schema\":\"inferometer.journal/1\",\"version\":\"0.1.0\","
      "\"time\":\"\",\"fingerprint\":{}}\n");
  EXPECT_THAT(message, HasSubstr("line 1"));
  EXPECT_THAT(message, HasSubstr("written as inferometer.journal/1"));
  EXPECT_THAT(message, HasSubstr("reads inferometer.journal/2 only"));
}

TEST(Journal, RefusesWhatTheFormatDoesNotSay) {
  const auto header = to_json(campaign::header()).dump() + "\n";
  EXPECT_THAT(message_of("[]\n"), HasSubstr("'line'"));
  EXPECT_THAT(message_of(to_json(round_of(1)).dump() + "\n"), HasSubstr("\"header\""));
  EXPECT_THAT(message_of(header + "{\"line\":\"lunch\"}\n"),
              HasSubstr("line 2: key 'line': expected header, launch, round, launch_end, outcome"));
  EXPECT_THAT(message_of(header + "{\"line\":3}\n"), HasSubstr("'line'"));
  EXPECT_THAT(message_of(header + std::string(kMaxLineBytes + 1, ' ') + "\n"),
              HasSubstr(std::to_string(kMaxLineBytes)));

  EXPECT_THAT(message_of(to_json(Header{"0.1.0", "t", {{"machine_id", 5}}}).dump() + "\n"),
              HasSubstr("'machine'"));
  EXPECT_THAT(
      message_of(
          to_json(Header{"0.1.0", "t", {{"machine", Json::object()}, {"machine_id", 5}}}).dump() +
          "\n"),
      HasSubstr("'machine_id'"));

  auto end = to_json(launch_end());
  end["parent_cpu_share"] = -0.5;
  EXPECT_THAT(message_of(header + end.dump() + "\n"), HasSubstr("'parent_cpu_share'"));
  end["parent_cpu_share"] = nullptr;
  end["canary_share"] = 1.5;
  EXPECT_THAT(message_of(header + end.dump() + "\n"), HasSubstr("'canary_share'"));

  auto endless = to_json(round_of(1));
  endless["blocks"][0]["wall_ns"] = INT64_MAX;
  EXPECT_THAT(message_of(header + endless.dump() + "\n"), HasSubstr("'wall_ns'"));

  auto round = to_json(round_of(1));
  round["blocks"][0]["timings_ns"][1] = -1;
  EXPECT_THAT(message_of(header + round.dump() + "\n"), HasSubstr("timings_ns"));
  round = to_json(round_of(1));
  round["blocks"][0]["timings_ns"][1] = 18446744073709551615u;
  EXPECT_THAT(message_of(header + round.dump() + "\n"), HasSubstr("timings_ns"));
  round = to_json(round_of(1));
  round["round"] = 1.5;
  EXPECT_THAT(message_of(header + round.dump() + "\n"), HasSubstr("'round'"));
  round = to_json(round_of(1));
  round["surprise"] = 1;
  EXPECT_THAT(message_of(header + round.dump() + "\n"), HasSubstr("surprise"));
  round = to_json(round_of(1));
  round.erase("group");
  EXPECT_THAT(message_of(header + round.dump() + "\n"), HasSubstr("'group'"));
  round = to_json(round_of(1));
  round["canary"]["before"]["canary_fma"] = 1;
  EXPECT_THAT(message_of(header + round.dump() + "\n"), HasSubstr("canary_fma"));
}

TEST(JournalFile, AppendsAndIsReadBack) {
  const auto path = scratch("append");
  {
    JournalFile file(path, JournalFile::Open::New);
    file.append(to_json(header()));
    file.append(to_json(round_of(1)));
    EXPECT_EQ(lines_in(contents(path)), 2u);
  }
  EXPECT_EQ(read_journal(path).rounds.size(), 1u);
  std::filesystem::remove(path);
}

TEST(JournalFile, NewRefusesAnExistingFileAndSaysWhatToDo) {
  const auto path = scratch("exists");
  std::ofstream(path) << "precious\n";
  try {
    JournalFile file(path, JournalFile::Open::New);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--resume"));
  }
  EXPECT_EQ(contents(path), "precious\n");
  std::filesystem::remove(path);
}

TEST(JournalFile, ResumeCutsATornLineAtEveryByte) {
  const auto whole = example();
  const auto torn = to_json(round_of(4)).dump();
  const auto path = scratch("torn");
  for (std::size_t size = 0; size <= torn.size(); size += 7) {
    std::ofstream(path, std::ios::trunc) << whole << torn.substr(0, size);
    JournalFile file(path, JournalFile::Open::Resume);
    EXPECT_EQ(file.before().rounds.size(), 3u);
    file.append(to_json(round_of(5)));
    EXPECT_EQ(read_journal(path).rounds.size(), 4u) << size;
  }
  std::filesystem::remove(path);
}

TEST(JournalFile, ResumeLeavesAForeignFileAlone) {
  const auto path = scratch("foreign");
  std::ofstream(path) << "shopping list\neggs";
  EXPECT_THROW(JournalFile(path, JournalFile::Open::Resume), Error);
  EXPECT_EQ(contents(path), "shopping list\neggs");
  std::ofstream(path, std::ios::trunc) << "eggs";
  EXPECT_THROW(JournalFile(path, JournalFile::Open::Resume), Error);
  EXPECT_EQ(contents(path), "eggs");
  std::filesystem::remove(path);
}

TEST(JournalFile, ResumeRefusesAJoinedFileAndLeavesItAlone) {
  const auto path = scratch("joined");
  std::ofstream(path) << example() << example();
  try {
    JournalFile file(path, JournalFile::Open::Resume);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    EXPECT_THAT(error.what(), HasSubstr("joined from 2 journals; give one of those"));
  }
  EXPECT_EQ(contents(path), example() + example());
  std::filesystem::remove(path);
}

TEST(JournalFile, ASecondWriterIsRefused) {
  const auto path = scratch("lock");
  JournalFile first(path, JournalFile::Open::New);
  EXPECT_THROW(JournalFile(path, JournalFile::Open::Resume), Error);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace inferometer::campaign
