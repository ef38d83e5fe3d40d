// SPDX-License-Identifier: Apache-2.0
// The journal: the append-only file of what happened (docs/journal.md). One JSON object a line, one
// write() and fdatasync() a line, so that a kill loses at most the round being measured.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "measure/outcome.hpp"

namespace inferometer::campaign {

inline constexpr std::string_view kJournalSchema = "inferometer.journal/1";
/// Bounds of the reader: journals come from strangers.
inline constexpr std::size_t kMaxLineBytes = 16u << 20;
inline constexpr std::size_t kMaxJournalBytes = std::size_t{1} << 30;
/// Bound of the writer: a round line of a control and three cells, throughput and latency apart,
/// stays below kMaxLineBytes however many digits its timings have.
inline constexpr std::int64_t kMaxBlockBatches = 100'000;

/// First line: which format, who wrote it, on which machine.
struct Header {
  std::string version;  ///< of Inferometer
  std::string time;     ///< UTC, "2026-01-31T12:00:00Z"
  Json fingerprint = Json::object();
};

/// One life of the workers of a group. `cells` are outcomes so far: what loading and parity told,
/// failures among them.
struct Launch {
  std::int64_t launch = 0;            ///< from 1; never reused, never merged
  std::string group;                  ///< "resnet50.onnx batch 4"
  std::vector<std::string> controls;  ///< cell_ids of the control, one a workload; or none
  std::int64_t rounds = 0;  ///< fixed in advance; fewer round lines = an interrupted launch
  std::string time;
  Json state = Json::object();  ///< of the machine, before
  std::vector<measure::Outcome> cells;
};

/// What one cell did in one round. Passes have no timings: what they measured stands in `values`.
struct Block {
  std::vector<std::string> cell_ids;  ///< several: throughput and latency of the same batches
  std::int64_t batches = 0;
  std::int64_t samples = 0;  ///< rows computed in wall_ns
  std::int64_t wall_ns = 0;
  std::vector<std::int64_t> timings_ns;  ///< one per call, in order
  Json values = Json::object();          ///< Field keys
};

/// One block of every cell of a group, in the order in which they ran.
struct Round {
  std::int64_t launch = 0;
  std::string group;
  std::int64_t round = 0;        ///< from 1; 0 = the passes after the rounds
  Json canary = Json::object();  ///< "before" and "after", each with Field keys; may be empty
  bool rejected = false;         ///< the canary changed within it; kept all the same
  std::vector<Block> blocks;
};

/// What a journal holds. Outcomes: the last line of a cell stands.
struct Journal {
  std::string name;  ///< for messages and reports
  Header header;     ///< version empty: the file ended before the first line was whole
  std::vector<Launch> launches;
  std::vector<Round> rounds;
  std::vector<measure::Outcome> outcomes;
  std::size_t whole_bytes = 0;  ///< up to and with the last newline; what follows was torn
};

Json to_json(const Header& header);
Json to_json(const Launch& launch);
Json to_json(const Round& round);
Json outcome_line(const measure::Outcome& outcome);

/// One line with its newline; text that is not UTF-8 is mended.
std::string line_text(const Json& line);

/// Adds an outcome, in place of an older one of the same cell.
void keep_outcome(Journal& journal, measure::Outcome outcome);

/// A last line without its newline is ignored. Throws Error{Invalid} naming the line's number for
/// any other line that is not what docs/journal.md says.
Journal parse_journal(std::string_view text, const std::string& name);
Journal read_journal(const std::filesystem::path& path);

/// Where lines go. Append one line or throw.
class JournalSink {
 public:
  virtual ~JournalSink() = default;
  virtual void append(const Json& line) = 0;
};

/// For tests, and for campaigns without a file.
class JournalMemory : public JournalSink {
 public:
  void append(const Json& line) override { text_ += line_text(line); }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// A file, locked against a second writer. Not thread-safe.
class JournalFile : public JournalSink {
 public:
  enum class Open { New, Resume };
  /// New: the file must not exist. Resume: it is made or continued, a torn last line cut off.
  /// Throws Error{Invalid} naming the path when it exists (New), is locked, or is no journal.
  JournalFile(const std::filesystem::path& path, Open mode);
  ~JournalFile() override;
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  /// Throws Error{Invalid} with the path and the system's reason (disk full, ...).
  void append(const Json& line) override;
  /// What it held when it was opened.
  const Journal& before() const noexcept { return before_; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  Journal before_;
};

}  // namespace inferometer::campaign
