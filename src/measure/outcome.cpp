// SPDX-License-Identifier: Apache-2.0
#include "measure/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace inferometer::measure {
namespace {

constexpr std::size_t kTextLimit = 1u << 20;
constexpr std::size_t kWarningLimit = 1000;
constexpr std::string_view kWhySuffix = "_why";

[[noreturn]] void refuse(std::string_view key, std::string_view expected) {
  throw Error(Status::Invalid,
              fmt::format("outcome: key '{}': expected {}", printable(key), expected),
              {{"key", printable(key)}});
}

bool is_field(std::string_view key) {
  return std::ranges::find(fields(), key, &Field::key) != fields().end();
}

const std::string& text_of(const Json& json, std::string_view key) {
  if (!json.is_string()) refuse(key, "text");
  const auto& text = json.get_ref<const std::string&>();
  if (text.size() > kTextLimit) refuse(key, fmt::format("at most {} bytes", kTextLimit));
  return text;
}

void check_value_key(std::string_view key, const Json& values) {
  if (is_field(key)) return;
  if (key.ends_with(kWhySuffix)) {
    const auto base = key.substr(0, key.size() - kWhySuffix.size());
    const auto given = values.find(std::string(base));
    if (is_field(base) && given != values.end() && given->is_null()) return;
    refuse(key, "a null quantity beside the reason why it is missing");
  }
  std::vector<std::string> known;
  for (const auto& each : fields()) known.emplace_back(each.key);
  const auto near = nearest(key, known);
  refuse(key, "a declared quantity" + (near.empty() ? "" : fmt::format(" (nearest: {})", near)));
}

Json values_from_json(const Json& json) {
  if (!json.is_object()) refuse("values", "an object");
  for (const auto& [key, value] : json.items()) {
    check_value_key(key, json);
    if (key.ends_with(kWhySuffix)) text_of(value, key);
  }
  return json;
}

std::vector<std::string> warnings_from_json(const Json& json) {
  if (!json.is_array() || json.size() > kWarningLimit)
    refuse("warnings", fmt::format("a list of at most {} texts", kWarningLimit));
  std::vector<std::string> warnings;
  for (const auto& each : json) warnings.push_back(text_of(each, "warnings"));
  return warnings;
}

Params params_of(const Json& json) {
  if (!json.is_object()) refuse("params", "an object");
  return params_from_json(json);
}

Status status_of(const Json& json) {
  return parse_status(text_of(json, "status"));
}

void read_key(Outcome& outcome, const std::string& key, const Json& value) {
  if (key == "cell_id")
    outcome.cell_id = text_of(value, key);
  else if (key == "model")
    outcome.cell.model = text_of(value, key);
  else if (key == "engine")
    outcome.cell.engine = text_of(value, key);
  else if (key == "label")
    outcome.cell.label = text_of(value, key);
  else if (key == "params")
    outcome.cell.params = params_of(value);
  else if (key == "workload")
    outcome.cell.workload = text_of(value, key);
  else if (key == "status")
    outcome.status = status_of(value);
  else if (key == "stage")
    outcome.stage = text_of(value, key);
  else if (key == "reason")
    outcome.reason = text_of(value, key);
  else if (key == "warnings")
    outcome.warnings = warnings_from_json(value);
  else if (key == "values")
    outcome.values = values_from_json(value);
  else if (key == "rerun")
    outcome.rerun = text_of(value, key);
  else
    refuse(key, "a key of an outcome");
}

}  // namespace

Json to_json(const Outcome& outcome) {
  return Json{{"cell_id", outcome.cell_id},
              {"model", outcome.cell.model},
              {"engine", outcome.cell.engine},
              {"label", outcome.cell.label},
              {"params", inferometer::to_json(outcome.cell.params)},
              {"workload", outcome.cell.workload},
              {"status", to_string(outcome.status)},
              {"stage", outcome.stage},
              {"reason", outcome.reason},
              {"warnings", outcome.warnings},
              {"values", outcome.values},
              {"rerun", outcome.rerun}};
}

Outcome outcome_from_json(const Json& json) {
  if (!json.is_object()) refuse("", "an object");
  Outcome outcome;
  for (const auto& [key, value] : json.items()) read_key(outcome, key, value);
  for (const auto* key : {"cell_id", "model", "engine", "workload", "status"})
    if (!json.contains(key)) refuse(key, "to be present");
  return outcome;
}

void set_missing(Outcome& outcome, std::string_view key, std::string_view why) {
  outcome.values[std::string(field(key).key)] = nullptr;
  outcome.values[std::string(key) + std::string(kWhySuffix)] = why;
}

}  // namespace inferometer::measure
