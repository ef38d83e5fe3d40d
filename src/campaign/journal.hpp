// SPDX-License-Identifier: Apache-2.0
// The journal: the append-only file of what happened (docs/journal.md). One JSON object a line, one
// write() and fdatasync() a line, so that a kill loses at most the round being measured.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.hpp"
#include "base/json.hpp"
#include "campaign/journal_schema.hpp"
#include "measure/outcome.hpp"

namespace inferometer::campaign {

/// First line: which format, who wrote it, on which machine.
struct Header {
  std::string version;                ///< of Inferometer
  std::string time;                   ///< UTC, "2026-01-31T12:00:00Z"
  Json fingerprint = Json::object();  ///< {"machine_id", "machine"}
};

/// One life of the workers of a group. `cells` are outcomes so far: what loading and parity told,
/// failures among them.
struct Launch {
  std::int64_t launch = 0;            ///< from 1; never reused, never merged
  std::string group;                  ///< "resnet50.onnx batch 4"
  std::vector<std::string> controls;  ///< cell_ids of the control, one a workload; or none
  std::int64_t rounds = 0;  ///< fixed in advance; fewer round lines = an interrupted launch
  double predicted_s = 0;   ///< what the launch was to take
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
  std::int64_t round = 0;  ///< from 1; 0 = the passes after the rounds
  Json canary = {{"before", nullptr}, {"after", nullptr}};  ///< Field keys; null: no canary ran
  bool rejected = false;  ///< the canary changed within it; kept all the same
  std::vector<Block> blocks;
};

/// After the rounds and passes of a launch, an interrupted one too. None: it was killed.
struct LaunchEnd {
  std::int64_t launch = 0;
  std::string group;
  std::string time;
  Json state = Json::object();                           ///< of the machine, after
  double wall_s = 0;                                     ///< what it took
  std::optional<double> parent_cpu_share, canary_share;  ///< of the rounds; none: there were none
  std::vector<Block> blocks;  ///< what all rounds together tell of a cell: its tasks
};

/// What was measured on one machine. Outcomes: the last line of a cell stands.
struct Journal {
  std::string name;  ///< for messages and reports
  Header header;     ///< version empty: the file ended before the first line was whole
  std::vector<Launch> launches;
  std::vector<Round> rounds;
  std::vector<LaunchEnd> ends;
  std::vector<measure::Outcome> outcomes;
  std::size_t whole_bytes = 0;  ///< of its file, up to and with the last newline; the rest was torn
};

Json to_json(const Header& header);
Json to_json(const Launch& launch);
Json to_json(const Round& round);
Json to_json(const LaunchEnd& end);
Json outcome_line(const measure::Outcome& outcome);

/// One line with its newline; text that is not UTF-8 is mended.
std::string line_text(const Json& line);

/// Adds an outcome, in place of an older one of the same cell.
void keep_outcome(Journal& journal, measure::Outcome outcome);

/// What tells journals apart: when and where one was begun, and its first launch.
std::string journal_key(const Journal& journal);

/// Whether a text without a whole line may be what a kill left of a journal's first.
bool may_become_journal(std::string_view text);

using Line = std::variant<Header, Launch, Round, LaunchEnd, measure::Outcome>;
/// Throws Error{Invalid} naming the key that is not as the schema says.
Line parse_line(std::string_view text);

/// The whole lines of a journal's text, which must outlive this, one after the other: what is made
/// of a large journal need not hold it.
class LineReader {
 public:
  /// `name` is for messages.
  LineReader(std::string_view text, std::string name);

  /// The next line without its newline; none at the end. A last line without its newline is torn.
  std::optional<std::string_view> next();
  /// The next line as what it is. Throws Error{Invalid} naming file, number and key.
  std::optional<Line> next_line();

  std::size_t number() const noexcept { return number_; }  ///< of the last line, from 1
  std::size_t whole_bytes() const noexcept { return whole_; }
  std::size_t torn_bytes() const noexcept { return text_.size() - whole_; }  ///< at the end

 private:
  std::string_view text_;
  std::string name_;
  std::size_t number_ = 0, whole_ = 0;
};

/// A journal's file, mapped.
class JournalText {
 public:
  /// Throws Error{Invalid} naming the path when it can't be opened or is larger than
  /// kMaxJournalBytes.
  explicit JournalText(const std::filesystem::path& path);
  LineReader lines() const { return {text(), name_}; }
  std::string_view text() const;

 private:
  MappedFile file_;
  std::string name_;
};

/// What the journal at this place among those of a file is called: the file's own name when it is
/// the only one, else "both.jsonl#2".
std::string journal_name(const std::string& path, std::size_t place, std::size_t journals);

/// Each header begins a journal: `journal join` puts those of several machines into one file. At
/// least one; a file without any whole line gives an empty one. Throws Error{Invalid} naming the
/// line's number.
std::vector<Journal> parse_journals(std::string_view text, const std::string& name);
std::vector<Journal> read_journals(const std::filesystem::path& path);
/// The same of one machine. Throws Error{Invalid} for a joined file.
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
