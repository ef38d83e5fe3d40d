// SPDX-License-Identifier: Apache-2.0
// What is in a journal, for people who look into one: no figures, but what there is to make them
// of. Lines are read one by one: of a large journal only launches and cells are held.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "campaign/journal.hpp"

namespace inferometer::campaign {

/// How a launch ended.
enum class Ending {
  Complete,     ///< every cell that did not fail has what it was to have
  Interrupted,  ///< on request, before that
  Open          ///< no line says so: killed, or still running
};
std::string_view to_string(Ending ending) noexcept;

struct LaunchContents {
  std::int64_t launch = 0;
  std::string group, time, end_time;
  std::int64_t rounds = 0, planned = 0, rejected = 0;
  std::vector<std::string> cell_ids;
  Ending ending = Ending::Open;
};

struct CellContents {
  std::string cell_id;
  measure::Cell cell;
  Status status = Status::Ok;  ///< of its failure, if it has one
  std::string stage, reason;
  std::int64_t launches = 0, complete = 0;  ///< that it took part in; that measured it whole
};

/// Of one machine's journal.
struct JournalContents {
  Header header;  ///< version empty: the file ended before the first line was whole
  std::vector<LaunchContents> launches;
  std::vector<CellContents> cells;  ///< in order of first appearance
  std::size_t lines = 0;            ///< whole ones
  std::size_t torn_bytes = 0;       ///< after the last of them
};

/// One per header; at least one. Throws Error{Invalid} naming the line's number.
std::vector<JournalContents> contents_of(LineReader lines);

Json to_json(const JournalContents& contents);

}  // namespace inferometer::campaign
