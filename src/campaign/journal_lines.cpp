// SPDX-License-Identifier: Apache-2.0
// Journal lines to and from JSON. Every key is required and no other is allowed: a journal is read
// by the version that its header names, so a stray key is damage, not the future.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "base/file.hpp"
#include "base/text.hpp"
#include "campaign/journal.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kMaxCount = 1'000'000'000;
constexpr std::int64_t kMaxDurationNs = 1'000'000'000'000'000;  // eleven days
constexpr std::size_t kMaxTimings = 1'000'000;
constexpr std::size_t kMaxCells = 1000;
constexpr std::size_t kMaxText = 4096;

[[noreturn]] void refuse(std::string_view key, std::string_view expected) {
  throw Error(Status::Invalid, fmt::format("key '{}': expected {}", printable(key), expected),
              {{"key", printable(key)}});
}

void check_keys(const Json& json, std::initializer_list<std::string_view> keys) {
  if (!json.is_object()) refuse("", "an object");
  for (const auto key : keys)
    if (!json.contains(std::string(key))) refuse(key, "to be present");
  for (const auto& [key, value] : json.items())
    if (std::ranges::find(keys, std::string_view(key)) == keys.end())
      refuse(key, "no such key in this line");
}

std::string text_at(const Json& json, const std::string& key) {
  const auto& value = json.at(key);
  if (!value.is_string() || value.get_ref<const std::string&>().size() > kMaxText)
    refuse(key, fmt::format("text of at most {} bytes", kMaxText));
  return value.get<std::string>();
}

std::int64_t integer(const Json& value, const std::string& key, std::int64_t least,
                     std::int64_t most) {
  const auto expected = [&] { return fmt::format("an integer {}..{}", least, most); };
  if (!value.is_number_integer()) refuse(key, expected());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    refuse(key, expected());
  const auto number = value.get<std::int64_t>();
  if (number < least || number > most) refuse(key, expected());
  return number;
}

std::int64_t duration_at(const Json& json, const std::string& key) {
  return integer(json.at(key), key, 0, kMaxDurationNs);
}

const Json& list_at(const Json& json, const std::string& key, std::size_t most) {
  const auto& value = json.at(key);
  if (!value.is_array() || value.size() > most)
    refuse(key, fmt::format("a list of at most {}", most));
  return value;
}

std::vector<std::string> texts_at(const Json& json, const std::string& key) {
  std::vector<std::string> texts;
  for (const auto& text : list_at(json, key, kMaxCells)) {
    if (!text.is_string()) refuse(key, "a list of texts");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

const Json& object_at(const Json& json, const std::string& key) {
  if (!json.at(key).is_object()) refuse(key, "an object");
  return json.at(key);
}

// measure knows which quantities there are; an outcome around them is how it is asked.
Json values_at(const Json& json, const std::string& key) {
  return measure::outcome_from_json(Json{{"cell_id", ""},
                                         {"model", ""},
                                         {"engine", ""},
                                         {"workload", ""},
                                         {"status", "ok"},
                                         {"values", json.at(key)}})
      .values;
}

Json canary_at(const Json& json) {
  const auto& canary = object_at(json, "canary");
  for (const auto& [key, value] : canary.items()) {
    if (key != "before" && key != "after") refuse(key, "before or after");
    values_at(canary, key);
  }
  return canary;
}

bool bool_at(const Json& json, const std::string& key) {
  if (!json.at(key).is_boolean()) refuse(key, "true or false");
  return json.at(key).get<bool>();
}

Header header_from(const Json& json) {
  check_keys(json, {"line", "schema", "version", "time", "fingerprint"});
  const auto schema = text_at(json, "schema");
  if (schema != kJournalSchema) refuse("schema", fmt::format("\"{}\"", kJournalSchema));
  const auto& fingerprint = object_at(json, "fingerprint");
  if (fingerprint.contains("machine_id")) text_at(fingerprint, "machine_id");
  return {text_at(json, "version"), text_at(json, "time"), fingerprint};
}

Launch launch_from(const Json& json) {
  check_keys(json, {"line", "launch", "group", "controls", "rounds", "time", "state", "cells"});
  Launch launch{.launch = integer(json.at("launch"), "launch", 1, kMaxCount),
                .group = text_at(json, "group"),
                .controls = texts_at(json, "controls"),
                .rounds = integer(json.at("rounds"), "rounds", 0, kMaxCount),
                .time = text_at(json, "time"),
                .state = object_at(json, "state")};
  for (const auto& cell : list_at(json, "cells", kMaxCells))
    launch.cells.push_back(measure::outcome_from_json(cell));
  return launch;
}

Block block_from(const Json& json) {
  check_keys(json, {"cell_ids", "batches", "samples", "wall_ns", "timings_ns", "values"});
  Block block{.cell_ids = texts_at(json, "cell_ids"),
              .batches = integer(json.at("batches"), "batches", 0, kMaxCount),
              .samples = integer(json.at("samples"), "samples", 0, kMaxCount),
              .wall_ns = duration_at(json, "wall_ns"),
              .values = values_at(json, "values")};
  for (const auto& timing : list_at(json, "timings_ns", kMaxTimings))
    block.timings_ns.push_back(integer(timing, "timings_ns", 0, kMaxDurationNs));
  return block;
}

Round round_from(const Json& json) {
  check_keys(json, {"line", "launch", "group", "round", "canary", "rejected", "blocks"});
  Round round{.launch = integer(json.at("launch"), "launch", 1, kMaxCount),
              .group = text_at(json, "group"),
              .round = integer(json.at("round"), "round", 0, kMaxCount),
              .canary = canary_at(json),
              .rejected = bool_at(json, "rejected")};
  for (const auto& block : list_at(json, "blocks", kMaxCells))
    round.blocks.push_back(block_from(block));
  return round;
}

Json to_json(const Block& block) {
  return {{"cell_ids", block.cell_ids},     {"batches", block.batches},
          {"samples", block.samples},       {"wall_ns", block.wall_ns},
          {"timings_ns", block.timings_ns}, {"values", block.values}};
}

void add_line(Journal& journal, const Json& json, bool first) {
  if (!json.is_object() || !json.contains("line")) refuse("line", "to be present");
  const auto kind = text_at(json, "line");
  if (first != (kind == "header")) refuse("line", "\"header\" in the first line and only there");
  if (kind == "header") {
    journal.header = header_from(json);
  } else if (kind == "launch") {
    journal.launches.push_back(launch_from(json));
  } else if (kind == "round") {
    journal.rounds.push_back(round_from(json));
  } else if (kind == "outcome") {
    check_keys(json, {"line", "outcome"});
    keep_outcome(journal, measure::outcome_from_json(json.at("outcome")));
  } else {
    refuse("line", "header, launch, round or outcome");
  }
}

}  // namespace

Json to_json(const Header& header) {
  return {{"line", "header"},
          {"schema", kJournalSchema},
          {"version", header.version},
          {"time", header.time},
          {"fingerprint", header.fingerprint}};
}

Json to_json(const Launch& launch) {
  auto cells = Json::array();
  for (const auto& cell : launch.cells) cells.push_back(measure::to_json(cell));
  return {{"line", "launch"},        {"launch", launch.launch},
          {"group", launch.group},   {"controls", launch.controls},
          {"rounds", launch.rounds}, {"time", launch.time},
          {"state", launch.state},   {"cells", std::move(cells)}};
}

Json to_json(const Round& round) {
  auto blocks = Json::array();
  for (const auto& block : round.blocks) blocks.push_back(to_json(block));
  return {{"line", "round"},
          {"launch", round.launch},
          {"group", round.group},
          {"round", round.round},
          {"canary", round.canary},
          {"rejected", round.rejected},
          {"blocks", std::move(blocks)}};
}

Json outcome_line(const measure::Outcome& outcome) {
  return {{"line", "outcome"}, {"outcome", measure::to_json(outcome)}};
}

void keep_outcome(Journal& journal, measure::Outcome outcome) {
  const auto same =
      std::ranges::find(journal.outcomes, outcome.cell_id, &measure::Outcome::cell_id);
  if (same == journal.outcomes.end())
    journal.outcomes.push_back(std::move(outcome));
  else
    *same = std::move(outcome);
}

std::string line_text(const Json& line) {
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Journal parse_journal(std::string_view text, const std::string& name) {
  Journal journal{.name = name};
  for (std::size_t start = 0, number = 1;; ++number) {
    const auto end = text.find('\n', start);
    if (end == std::string_view::npos) break;
    try {
      if (end - start > kMaxLineBytes) refuse("", fmt::format("at most {} bytes", kMaxLineBytes));
      add_line(journal, parse_json(text.substr(start, end - start), "line"), number == 1);
    } catch (const Error& error) {
      throw Error(Status::Invalid,
                  fmt::format("{}: line {}: {}", printable(name), number, error.what()),
                  {{"journal", name}, {"line", std::to_string(number)}});
    }
    start = journal.whole_bytes = end + 1;
  }
  return journal;
}

Journal read_journal(const std::filesystem::path& path) {
  return parse_journal(read_text(path, kMaxJournalBytes), path.string());
}

}  // namespace inferometer::campaign
