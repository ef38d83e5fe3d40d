// SPDX-License-Identifier: Apache-2.0
#include "campaign/journal_schema.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "measure/outcome.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kMaxCount = 1'000'000'000;
constexpr std::int64_t kMaxDurationNs = 1'000'000'000'000'000;  // eleven days
constexpr std::size_t kMaxTimings = 1'000'000;
constexpr std::size_t kMaxCells = 1000;
constexpr std::int64_t kMaxText = 4096;
constexpr std::int64_t kMaxShare = 1'000'000;  // CPUs, at most

constexpr auto kText = types::text(kMaxText);
constexpr auto kTexts = types::list_of(kText, kMaxCells);
constexpr auto kLaunchNumber = types::integer(1, kMaxCount);
constexpr auto kCount = types::integer(0, kMaxCount);
constexpr auto kDuration = types::integer(0, kMaxDurationNs);
constexpr auto kSeconds = types::number(0, 1e9);
constexpr auto kValues = types::other("values", measure::check_values);

constexpr KeySpec kFingerprintKeys[] = {
    {"machine_id", kText, "Hash of what must be equal if rates are to be compared."},
    {"machine", types::object(),
     "CPU, caches, NUMA, SMT, governor, hypervisor, kernel, C library, control groups, memory, "
     "huge pages, GPU, our build; what can't be read is the text `unavailable: why`."},
};
constexpr ObjectSpec kFingerprint{"fingerprint", "The machine, which does not change.",
                                  kFingerprintKeys};

constexpr KeySpec kCanaryKeys[] = {
    {"before", types::or_null(kValues), "Of the canary that ran before the first block."},
    {"after", types::or_null(kValues), "Of the one that ran after the last block."},
};
constexpr ObjectSpec kCanary{
    "canary", "The canary's times around a round: `canary_fma_ns` and `canary_stream_ns`.",
    kCanaryKeys};

constexpr KeySpec kBlockKeys[] = {
    {"cell_ids", kTexts, "Its cells: throughput and latency may be read from the same batches."},
    {"batches", kCount, "Batches computed."},
    {"samples", kCount, "Rows computed in wall_ns."},
    {"wall_ns", kDuration, "Time that they took together; in round 0 nothing need be timed."},
    {"timings_ns", types::list_of(kDuration, kMaxTimings),
     "One per batch, in order; of more than one batch in flight, one for all of them."},
    {"values", kValues, "Quantities of this block."},
};
constexpr ObjectSpec kBlock{"block", "What one cell did in one round.", kBlockKeys};

constexpr KeySpec kHeaderKeys[] = {
    {"line", types::word("header"), "Its kind."},
    {"schema", types::word(kJournalSchema), "Which format this is."},
    {"version", kText, "Of the Inferometer that measured."},
    {"time", kText, "UTC, `2026-01-31T12:00:00Z`."},
    {"fingerprint", types::object_of(kFingerprint), "Where it was measured."},
};

constexpr KeySpec kLaunchKeys[] = {
    {"line", types::word("launch"), "Its kind."},
    {"launch", kLaunchNumber, "Its number, which grows; launches are never merged."},
    {"group", kText, "Which cells are compared with each other, for people."},
    {"controls", kTexts, "cell_id of what ratios refer to, one a workload; or none."},
    {"rounds", kCount, "Rounds that were planned, fixed in advance."},
    {"predicted_s", kSeconds, "What it was to take, right answers left out."},
    {"time", kText, "UTC, before the first round."},
    {"state", types::object(),
     "Of the machine, before: load average, pressure, steal, context switches, page faults, "
     "throttling."},
    {"cells", types::list_of(types::object_of(measure::kOutcomeSpec), kMaxCells),
     "The group's cells: what loading and checking them told, failures among them."},
};

constexpr KeySpec kRoundKeys[] = {
    {"line", types::word("round"), "Its kind."},
    {"launch", kLaunchNumber, "The launch that it belongs to,"},
    {"group", kText, "and that launch's group."},
    {"round", kCount, "From 1; 0 for load, memory and others that are not measured in rounds."},
    {"canary", types::object_of(kCanary), "What the machine was worth around it."},
    {"rejected", types::boolean(),
     "Whether the canary changed by more than 25 % within it; kept all the same."},
    {"blocks", types::list_of(types::object_of(kBlock), kMaxCells),
     "One for every cell that lived, in the order in which they ran."},
};

constexpr KeySpec kLaunchEndKeys[] = {
    {"line", types::word("launch_end"), "Its kind."},
    {"launch", kLaunchNumber, "The launch that has ended,"},
    {"group", kText, "and that launch's group."},
    {"time", kText, "UTC, after the last round and pass."},
    {"state", types::object(), "Of the machine, after; as in the launch's line."},
    {"wall_s", kSeconds, "What it took, right answers left out."},
    {"parent_cpu_share", types::or_null(types::number(0, kMaxShare)),
     "CPU time of Inferometer's own process over wall time while the rounds ran; null without "
     "rounds."},
    {"canary_share", types::or_null(types::number(0, 1)),
     "Share of the rounds' wall time that the canary took; null without rounds or canary."},
    {"blocks", types::list_of(types::object_of(kBlock), kMaxCells),
     "What all rounds together tell of a cell: which tasks used the CPUs in wall_ns."},
};

constexpr KeySpec kOutcomeKeys[] = {
    {"line", types::word("outcome"), "Its kind."},
    {"outcome", types::object_of(measure::kOutcomeSpec), "The outcome."},
};

constexpr ObjectSpec kLines[] = {
    {"header", "First; each further one begins the journal of another machine.", kHeaderKeys},
    {"launch", "When the workers of a group are loaded and checked.", kLaunchKeys},
    {"round", "After each round.", kRoundKeys},
    {"launch_end", "When the workers of a group have ended; missing after a kill.", kLaunchEndKeys},
    {"outcome", "For a failure at once, for every cell at the end.", kOutcomeKeys},
};

}  // namespace

std::span<const ObjectSpec> journal_lines() {
  return kLines;
}

std::span<const ObjectSpec> journal_objects() {
  static const ObjectSpec objects[] = {kFingerprint, kCanary, kBlock, measure::kOutcomeSpec};
  return objects;
}

const ObjectSpec& line_spec(std::string_view kind) {
  const auto found = std::ranges::find(kLines, kind, &ObjectSpec::name);
  if (found != std::end(kLines)) return *found;
  std::vector<std::string> kinds;
  for (const auto& line : kLines) kinds.emplace_back(line.name);
  refuse_key("line", join(kinds));
}

Json schema_json() {
  auto lines = Json::array(), objects = Json::array(), quantities = Json::array();
  for (const auto& line : kLines) lines.push_back(to_json(line));
  for (const auto& object : journal_objects()) objects.push_back(to_json(object));
  for (const auto& field : measure::fields())
    quantities.push_back({{"key", field.key}, {"title", field.title}, {"help", field.help}});
  return {{"schema", kJournalSchema},
          {"most_line_bytes", kMaxLineBytes},
          {"most_journal_bytes", kMaxJournalBytes},
          {"lines", std::move(lines)},
          {"objects", std::move(objects)},
          {"quantities", std::move(quantities)}};
}

}  // namespace inferometer::campaign
