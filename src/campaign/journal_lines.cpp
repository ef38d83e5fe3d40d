// SPDX-License-Identifier: Apache-2.0
// Journal lines to and from JSON. What a line must hold stands in journal_schema.cpp; here it is
// only taken out.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "campaign/journal.hpp"

namespace inferometer::campaign {
namespace {

std::string text_at(const Json& json, const char* key) {
  return json.at(key).get<std::string>();
}

std::int64_t count_at(const Json& json, const char* key) {
  return json.at(key).get<std::int64_t>();
}

std::optional<double> share_at(const Json& json, const char* key) {
  if (json.at(key).is_null()) return std::nullopt;
  return json.at(key).get<double>();
}

Header header_from(const Json& json) {
  return {text_at(json, "version"), text_at(json, "time"), json.at("fingerprint")};
}

Launch launch_from(const Json& json) {
  Launch launch{.launch = count_at(json, "launch"),
                .group = text_at(json, "group"),
                .controls = json.at("controls").get<std::vector<std::string>>(),
                .rounds = count_at(json, "rounds"),
                .predicted_s = json.at("predicted_s").get<double>(),
                .time = text_at(json, "time"),
                .state = json.at("state")};
  for (const auto& cell : json.at("cells"))
    launch.cells.push_back(measure::outcome_from_json(cell));
  return launch;
}

Block block_from(const Json& json) {
  return {.cell_ids = json.at("cell_ids").get<std::vector<std::string>>(),
          .batches = count_at(json, "batches"),
          .samples = count_at(json, "samples"),
          .wall_ns = count_at(json, "wall_ns"),
          .timings_ns = json.at("timings_ns").get<std::vector<std::int64_t>>(),
          .values = json.at("values")};
}

std::vector<Block> blocks_at(const Json& json) {
  std::vector<Block> blocks;
  for (const auto& block : json.at("blocks")) blocks.push_back(block_from(block));
  return blocks;
}

Round round_from(const Json& json) {
  Round round{.launch = count_at(json, "launch"),
              .group = text_at(json, "group"),
              .round = count_at(json, "round"),
              .canary = json.at("canary"),
              .rejected = json.at("rejected").get<bool>()};
  round.blocks = blocks_at(json);
  return round;
}

LaunchEnd launch_end_from(const Json& json) {
  return {.launch = count_at(json, "launch"),
          .group = text_at(json, "group"),
          .time = text_at(json, "time"),
          .state = json.at("state"),
          .wall_s = json.at("wall_s").get<double>(),
          .parent_cpu_share = share_at(json, "parent_cpu_share"),
          .canary_share = share_at(json, "canary_share"),
          .blocks = blocks_at(json)};
}

Line line_from(std::string_view kind, const Json& json) {
  if (kind == "header") return header_from(json);
  if (kind == "launch") return launch_from(json);
  if (kind == "round") return round_from(json);
  if (kind == "launch_end") return launch_end_from(json);
  return measure::outcome_from_json(json.at("outcome"));
}

// Before all else: another version's header may have other keys.
void check_schema(const Json& header) {
  const auto found = header.find("schema");
  if (found == header.end() || !found->is_string() || *found == kJournalSchema) return;
  throw Error(Status::Invalid,
              fmt::format("key 'schema': it is written as {}, this version of Inferometer reads {} "
                          "only: read it with the version that wrote it, or measure again",
                          printable(found->get_ref<const std::string&>()), kJournalSchema),
              {{"key", "schema"}});
}

Json share_json(const std::optional<double>& share) {
  return share ? Json(*share) : Json(nullptr);
}

Json to_json(const Block& block) {
  return {{"cell_ids", block.cell_ids},     {"batches", block.batches},
          {"samples", block.samples},       {"wall_ns", block.wall_ns},
          {"timings_ns", block.timings_ns}, {"values", block.values}};
}

Json to_json(const std::vector<Block>& blocks) {
  auto list = Json::array();
  for (const auto& block : blocks) list.push_back(to_json(block));
  return list;
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
  return {{"line", "launch"},         {"launch", launch.launch},
          {"group", launch.group},    {"controls", launch.controls},
          {"rounds", launch.rounds},  {"predicted_s", launch.predicted_s},
          {"time", launch.time},      {"state", launch.state},
          {"cells", std::move(cells)}};
}

Json to_json(const Round& round) {
  return {{"line", "round"},
          {"launch", round.launch},
          {"group", round.group},
          {"round", round.round},
          {"canary", round.canary},
          {"rejected", round.rejected},
          {"blocks", to_json(round.blocks)}};
}

Json to_json(const LaunchEnd& end) {
  return {{"line", "launch_end"},
          {"launch", end.launch},
          {"group", end.group},
          {"time", end.time},
          {"state", end.state},
          {"wall_s", end.wall_s},
          {"parent_cpu_share", share_json(end.parent_cpu_share)},
          {"canary_share", share_json(end.canary_share)},
          {"blocks", to_json(end.blocks)}};
}

Json outcome_line(const measure::Outcome& outcome) {
  return {{"line", "outcome"}, {"outcome", measure::to_json(outcome)}};
}

std::string line_text(const Json& line) {
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Line parse_line(std::string_view text) {
  if (text.size() > kMaxLineBytes)
    throw Error(Status::Invalid, fmt::format("a line of at most {} bytes is read, this one has {}",
                                             kMaxLineBytes, text.size()));
  const auto json = parse_json(text, "line");
  if (!json.is_object() || !json.contains("line")) refuse_key("line", "to be present");
  if (!json.at("line").is_string()) refuse_key("line", "text");
  const auto kind = text_at(json, "line");
  const auto& spec = line_spec(kind);
  if (kind == "header") check_schema(json);
  check_object(json, spec);
  return line_from(kind, json);
}

}  // namespace inferometer::campaign
