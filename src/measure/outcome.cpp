// SPDX-License-Identifier: Apache-2.0
#include "measure/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace inferometer::measure {
namespace {

constexpr std::int64_t kTextLimit = 1 << 20;
constexpr std::int64_t kIdLimit = 4096;
constexpr std::size_t kWarningLimit = 1000;
constexpr std::string_view kWhySuffix = "_why";

bool is_field(std::string_view key) {
  return std::ranges::find(fields(), key, &Field::key) != fields().end();
}

void check_value_key(std::string_view key, const Json& values) {
  if (is_field(key)) return;
  if (key.ends_with(kWhySuffix)) {
    const auto base = key.substr(0, key.size() - kWhySuffix.size());
    const auto given = values.find(std::string(base));
    if (is_field(base) && given != values.end() && given->is_null()) return;
    refuse_key(key, "a null quantity beside the reason why it is missing");
  }
  std::vector<std::string> known;
  for (const auto& each : fields()) known.emplace_back(each.key);
  const auto near = nearest(key, known);
  refuse_key(key,
             "a declared quantity" + (near.empty() ? "" : fmt::format(" (nearest: {})", near)));
}

void check_params(const Json& json) {
  if (!json.is_object()) refuse_key("params", "an object");
  params_from_json(json);
}

void check_status(const Json& json) {
  if (!json.is_string()) refuse_key("status", "a status word");
  parse_status(json.get_ref<const std::string&>());
}

constexpr KeySpec kOutcomeKeys[] = {
    {"cell_id", types::text(kIdLimit),
     "XXH3-128 hash of model, engine version, plugin and library, requested params, workload and "
     "input shapes."},
    {"model", types::text(kTextLimit), "Path of the model as given."},
    {"engine", types::text(kTextLimit), "Name of the engine."},
    {"label", types::text(kTextLimit), "What tells the cell from its neighbours, for people."},
    {"params", types::other("params", check_params),
     "Params as asked for, batch_size included: name to boolean, number or text."},
    {"workload", types::text(kTextLimit), "What was measured: throughput, latency, load, ..."},
    {"status", types::other("status", check_status),
     "`ok`, or the word of what went wrong (cli.md, exit codes)."},
    {"stage", types::text(kTextLimit),
     "Of a failure: probe, load, parity, predict or measure; else empty."},
    {"reason", types::text(kTextLimit), "Of a failure: what happened; else empty."},
    {"warnings", types::list_of(types::text(kTextLimit), kWarningLimit),
     "Doubts about the figures, for people."},
    {"values", types::other("values", check_values), "Quantities."},
    {"rerun", types::text(kTextLimit), "The command line that repeats this one cell."},
};
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

constexpr ObjectSpec kOutcomeSpec{"outcome", "One cell: a measurement, or a failure.",
                                  kOutcomeKeys};

void check_values(const Json& json) {
  if (!json.is_object()) refuse_key("values", "an object");
  for (const auto& [key, value] : json.items()) {
    check_value_key(key, json);
    if (key.ends_with(kWhySuffix) && !value.is_string()) refuse_key(key, "text");
  }
}

Outcome outcome_from_json(const Json& json) {
  check_object(json, kOutcomeSpec);
  const auto text = [&](const char* key) { return json.at(key).get<std::string>(); };
  return {.cell_id = text("cell_id"),
          .cell = {.model = text("model"),
                   .engine = text("engine"),
                   .label = text("label"),
                   .params = params_from_json(json.at("params")),
                   .workload = text("workload")},
          .status = parse_status(text("status")),
          .stage = text("stage"),
          .reason = text("reason"),
          .warnings = json.at("warnings").get<std::vector<std::string>>(),
          .values = json.at("values"),
          .rerun = text("rerun")};
}

void set_missing(Outcome& outcome, std::string_view key, std::string_view why) {
  outcome.values[std::string(field(key).key)] = nullptr;
  outcome.values[std::string(key) + std::string(kWhySuffix)] = why;
}

}  // namespace inferometer::measure
