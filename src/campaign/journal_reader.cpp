// SPDX-License-Identifier: Apache-2.0
// From the text of a file to journals.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "campaign/journal.hpp"

namespace inferometer::campaign {
namespace {

struct Adder {
  Journal& journal;
  void operator()(Header header) const { journal.header = std::move(header); }
  void operator()(Launch launch) const { journal.launches.push_back(std::move(launch)); }
  void operator()(Round round) const { journal.rounds.push_back(std::move(round)); }
  void operator()(LaunchEnd end) const { journal.ends.push_back(std::move(end)); }
  void operator()(measure::Outcome outcome) const { keep_outcome(journal, std::move(outcome)); }
};

[[noreturn]] void refuse_line(const std::string& name, std::size_t number, std::string_view why) {
  throw Error(Status::Invalid, fmt::format("{}: line {}: {}", printable(name), number, why),
              {{"journal", name}, {"line", std::to_string(number)}});
}

Journal only(std::vector<Journal> journals, const std::string& name) {
  if (journals.size() == 1) return std::move(journals.front());
  throw Error(Status::Invalid,
              fmt::format("{}: it was joined from {} journals; give one of those", printable(name),
                          journals.size()),
              {{"journal", name}});
}

}  // namespace

void keep_outcome(Journal& journal, measure::Outcome outcome) {
  const auto same =
      std::ranges::find(journal.outcomes, outcome.cell_id, &measure::Outcome::cell_id);
  if (same == journal.outcomes.end())
    journal.outcomes.push_back(std::move(outcome));
  else
    *same = std::move(outcome);
}

std::string journal_key(const Journal& journal) {
  auto key =
      journal.header.time + "\n" + journal.header.fingerprint.value("machine_id", Json()).dump();
  if (journal.launches.empty()) return key;
  const auto& first = journal.launches.front();
  return key + fmt::format("\n{}\n{}\n{}\n", first.launch, first.group, first.time) +
         line_text(first.state);
}

bool may_become_journal(std::string_view text) {
  constexpr std::string_view kStart = "{\"line\":\"header\",";
  return text.substr(0, kStart.size()) == kStart.substr(0, text.size());
}

LineReader::LineReader(std::string_view text, std::string name)
    : text_(text), name_(std::move(name)) {}

std::optional<std::string_view> LineReader::next() {
  const auto end = text_.find('\n', whole_);
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text_.substr(whole_, end - whole_);
  whole_ = end + 1;
  ++number_;
  return line;
}

std::optional<Line> LineReader::next_line() {
  const auto text = next();
  if (!text) return std::nullopt;
  try {
    auto line = parse_line(*text);
    if (number_ == 1 && !std::holds_alternative<Header>(line))
      refuse_key("line", "\"header\" in the first line");
    return line;
  } catch (const Error& error) {
    refuse_line(name_, number_, error.what());
  }
}

JournalText::JournalText(const std::filesystem::path& path) : file_(path), name_(path.string()) {
  if (file_.bytes().size() > kMaxJournalBytes)
    throw Error(Status::Invalid,
                fmt::format("{}: {} bytes; a journal of at most {} is read", printable(name_),
                            file_.bytes().size(), kMaxJournalBytes),
                {{"journal", name_}});
}

std::string_view JournalText::text() const {
  const auto bytes = file_.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string journal_name(const std::string& path, std::size_t place, std::size_t journals) {
  return journals == 1 ? path : fmt::format("{}#{}", path, place + 1);
}

std::vector<Journal> parse_journals(std::string_view text, const std::string& name) {
  std::vector<Journal> journals;
  LineReader lines(text, name);
  while (auto line = lines.next_line()) {
    if (std::holds_alternative<Header>(*line)) journals.push_back({.name = name});
    std::visit(Adder{journals.back()}, std::move(*line));
    journals.back().whole_bytes = lines.whole_bytes();
  }
  if (journals.empty()) journals.push_back({.name = name});
  for (std::size_t i = 0; i < journals.size(); ++i)
    journals[i].name = journal_name(name, i, journals.size());
  return journals;
}

std::vector<Journal> read_journals(const std::filesystem::path& path) {
  return parse_journals(JournalText(path).text(), path.string());
}

Journal parse_journal(std::string_view text, const std::string& name) {
  return only(parse_journals(text, name), name);
}

Journal read_journal(const std::filesystem::path& path) {
  return only(read_journals(path), path.string());
}

}  // namespace inferometer::campaign
