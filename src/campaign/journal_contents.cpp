// SPDX-License-Identifier: Apache-2.0
#include "campaign/journal_contents.hpp"

#include <algorithm>
#include <utility>

#include "campaign/life.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;

// One journal, as its lines come.
class Collector {
 public:
  void operator()(Header header) { contents_.header = std::move(header); }

  void operator()(const Launch& launch) {
    LaunchContents row{.launch = launch.launch,
                       .group = launch.group,
                       .time = launch.time,
                       .planned = launch.rounds};
    Course course;
    for (const auto& cell : launch.cells) {
      row.cell_ids.push_back(cell.cell_id);
      ++row_of(cell).launches;
      note(cell);
      course.cells.push_back({.cell_id = cell.cell_id,
                              .cell = {.workload = cell.cell.workload},
                              .status = cell.status});
    }
    places_[{launch.launch, launch.group}] = courses_.size();
    contents_.launches.push_back(std::move(row));
    courses_.push_back(std::move(course));
  }

  void operator()(const Round& round) {
    const auto place = places_.find({round.launch, round.group});
    if (place == places_.end()) return;
    auto& row = contents_.launches[place->second];
    if (round.round > 0) ++row.rounds;
    row.rejected += round.rejected ? 1 : 0;
    for (const auto& block : round.blocks)
      for (const auto& id : block.cell_ids) ++courses_[place->second].blocks[id];
  }

  void operator()(const LaunchEnd& end) {
    const auto place = places_.find({end.launch, end.group});
    if (place == places_.end()) return;
    contents_.launches[place->second].end_time = end.time;
    courses_[place->second].ended = true;
  }

  void operator()(const Outcome& outcome) { note(outcome); }

  JournalContents finish() {
    for (std::size_t i = 0; i < courses_.size(); ++i) finish(contents_.launches[i], courses_[i]);
    return std::move(contents_);
  }

  void count_line() { ++contents_.lines; }

 private:
  struct Course {
    std::vector<Outcome> cells;                 ///< without their values
    std::map<std::string, std::size_t> blocks;  ///< by cell_id
    bool ended = false;
  };

  CellContents& row_of(const Outcome& outcome) {
    const auto [place, fresh] = cells_.emplace(outcome.cell_id, contents_.cells.size());
    if (fresh) contents_.cells.push_back({.cell_id = outcome.cell_id, .cell = outcome.cell});
    return contents_.cells[place->second];
  }

  // A cell that failed once has failed; one that was skipped may run later.
  void note(const Outcome& outcome) {
    auto& row = row_of(outcome);
    if (row.status != Status::Ok && row.status != Status::Skipped) return;
    if (outcome.status == Status::Skipped && row.launches > 0) return;
    row.status = outcome.status;
    row.stage = outcome.stage;
    row.reason = outcome.reason;
  }

  void finish(LaunchContents& row, const Course& course) {
    const Launch launch{.launch = row.launch, .rounds = row.planned};
    bool whole = true;
    for (const auto& cell : course.cells) {
      const auto blocks = course.blocks.find(cell.cell_id);
      const auto count = blocks == course.blocks.end() ? 0 : blocks->second;
      const bool complete = is_complete(launch, cell, count);
      auto& each = row_of(cell);
      each.complete += complete ? 1 : 0;
      whole = whole && (complete || each.status != Status::Ok);
    }
    if (course.ended) row.ending = whole ? Ending::Complete : Ending::Interrupted;
  }

  JournalContents contents_;
  std::vector<Course> courses_;  ///< beside contents_.launches
  std::map<std::pair<std::int64_t, std::string>, std::size_t> places_;  ///< launch, group
  std::map<std::string, std::size_t> cells_;                            ///< cell_id
};

Json to_json(const LaunchContents& launch) {
  return {{"launch", launch.launch},
          {"group", launch.group},
          {"time", launch.time},
          {"end_time", launch.end_time.empty() ? Json(nullptr) : Json(launch.end_time)},
          {"ending", to_string(launch.ending)},
          {"rounds", launch.rounds},
          {"rounds_planned", launch.planned},
          {"rounds_rejected", launch.rejected},
          {"cell_ids", launch.cell_ids}};
}

Json to_json(const CellContents& row) {
  return {{"cell_id", row.cell_id},
          {"model", row.cell.model},
          {"engine", row.cell.engine},
          {"label", row.cell.label},
          {"params", inferometer::to_json(row.cell.params)},
          {"workload", row.cell.workload},
          {"status", to_string(row.status)},
          {"stage", row.stage},
          {"reason", row.reason},
          {"launches", row.launches},
          {"launches_complete", row.complete}};
}

}  // namespace

std::string_view to_string(Ending ending) noexcept {
  switch (ending) {
    case Ending::Complete:
      return "complete";
    case Ending::Interrupted:
      return "interrupted";
    default:
      return "open";
  }
}

std::vector<JournalContents> contents_of(LineReader lines) {
  std::vector<JournalContents> all;
  std::optional<Collector> collector;
  while (auto line = lines.next_line()) {
    if (std::holds_alternative<Header>(*line)) {
      if (collector) all.push_back(collector->finish());
      collector.emplace();
    }
    std::visit(*collector, std::move(*line));
    collector->count_line();
  }
  all.push_back(collector ? collector->finish() : JournalContents{});
  all.back().torn_bytes = lines.torn_bytes();
  return all;
}

Json to_json(const JournalContents& contents) {
  auto launches = Json::array(), cells = Json::array();
  for (const auto& launch : contents.launches) launches.push_back(to_json(launch));
  for (const auto& cell : contents.cells) cells.push_back(to_json(cell));
  const auto& header = contents.header;
  return {{"version", header.version},
          {"time", header.time},
          {"machine_id", header.fingerprint.value("machine_id", Json())},
          {"lines", contents.lines},
          {"torn_bytes", contents.torn_bytes},
          {"launches", std::move(launches)},
          {"cells", std::move(cells)}};
}

}  // namespace inferometer::campaign
