// SPDX-License-Identifier: Apache-2.0
#include "campaign/journal_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "campaign/journal_sense.hpp"

namespace inferometer::campaign {
namespace {

class Verifier {
 public:
  explicit Verifier(std::string_view text) : text_(text), lines_(text, "") {}

  Verified all() {
    while (const auto line = lines_.next()) {
      result_.lines = lines_.number();
      one_line(*line);
    }
    end_journal();
    check_torn();
    std::ranges::stable_sort(result_.findings, {}, &Finding::line);
    return std::move(result_);
  }

 private:
  void add(Finding::Kind kind, std::size_t line, std::string text) {
    ++(kind == Finding::Kind::Problem ? result_.problems : result_.warnings);
    if (result_.findings.size() < Verified::kMostFindings)
      result_.findings.push_back({kind, line, std::move(text)});
  }
  void problem(std::size_t line, std::string text) {
    add(Finding::Kind::Problem, line, std::move(text));
  }

  void one_line(std::string_view text) {
    try {
      auto line = parse_line(text);
      const bool is_header = std::holds_alternative<Header>(line);
      if (lines_.number() == 1 && !is_header)
        throw Error(Status::Invalid, "the first line is no header");
      if (is_header) begin_journal();
      if (sense_) sense_->take(lines_.number(), std::move(line));
    } catch (const Error& error) {
      problem(lines_.number(), error.what());
      readable_ = false;
      sense_.reset();
    }
  }

  void begin_journal() {
    end_journal();
    ++result_.journals;
    begin_ = lines_.number();
    if (readable_)
      sense_.emplace(
          [this](std::size_t line, std::string text) { problem(line, std::move(text)); });
  }

  void end_journal() {
    if (!sense_) return;
    sense_->end();
    if (!keys_.insert(journal_key(sense_->journal())).second)
      problem(begin_, "the same journal stands in this file twice");
    sense_.reset();
  }

  void check_torn() {
    if (lines_.whole_bytes() == 0 && !may_become_journal(text_))
      problem(1, "is no journal: its first line is not a header");
    else if (lines_.whole_bytes() == 0)
      add(Finding::Kind::Warning, 1, "ends before its first line is whole: nothing was measured");
    else if (lines_.torn_bytes() > 0)
      add(Finding::Kind::Warning, result_.lines + 1,
          fmt::format("torn: its {} bytes end without a newline; readers leave it out",
                      lines_.torn_bytes()));
  }

  std::string_view text_;
  LineReader lines_;
  Verified result_;
  std::optional<JournalSense> sense_;  ///< of the journal being read
  bool readable_ = true;               ///< every line so far
  std::size_t begin_ = 0;              ///< the line of its header
  std::set<std::string> keys_;
};

}  // namespace

Verified verify_journal(std::string_view text) {
  return Verifier(text).all();
}

}  // namespace inferometer::campaign
