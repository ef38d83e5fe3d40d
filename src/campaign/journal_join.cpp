// SPDX-License-Identifier: Apache-2.0
#include "campaign/journal_join.hpp"

#include <fmt/format.h>

#include <deque>
#include <map>

#include "base/file.hpp"
#include "base/text.hpp"
#include "campaign/journal.hpp"

namespace inferometer::campaign {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw Error(Status::Invalid, fmt::format("{}: {}", printable(path.string()), why),
              {{"path", path.string()}});
}

/// journal_key -> where it was met.
using Met = std::map<std::string, std::string>;

void meet(const Journal& journal, const std::filesystem::path& path, Met& met) {
  const auto [place, fresh] = met.emplace(journal_key(journal), path.string());
  if (!fresh)
    refuse(path, fmt::format("the same journal was given before: {}", printable(place->second)));
}

// Reads every line, and keeps of each journal what tells it apart.
JoinedPart read_part(const std::filesystem::path& path, LineReader& lines, Met& met) {
  JoinedPart part{.path = path.string()};
  Journal journal;
  while (auto line = lines.next_line()) {
    if (auto* header = std::get_if<Header>(&*line)) {
      if (part.journals++ > 0) meet(journal, path, met);
      journal = {.header = std::move(*header)};
    }
    if (auto* launch = std::get_if<Launch>(&*line); launch && journal.launches.empty())
      journal.launches.push_back(std::move(*launch));
  }
  if (part.journals == 0) refuse(path, "has no whole line: there is nothing to join");
  meet(journal, path, met);
  part.lines = lines.number();
  part.torn_bytes = lines.torn_bytes();
  return part;
}

}  // namespace

std::vector<JoinedPart> join_journals(std::span<const std::filesystem::path> journals,
                                      const std::filesystem::path& output) {
  std::deque<JournalText> texts;  // they don't move: the pieces point into them
  std::vector<std::string_view> pieces;
  std::vector<JoinedPart> parts;
  std::size_t size = 0;
  Met met;
  for (const auto& path : journals) {
    const auto& text = texts.emplace_back(path);
    auto lines = text.lines();
    parts.push_back(read_part(path, lines, met));
    pieces.push_back(text.text().substr(0, lines.whole_bytes()));
    size += pieces.back().size();
  }
  if (size > kMaxJournalBytes)
    refuse(output, fmt::format("it would have {} bytes; a journal of at most {} is read", size,
                               kMaxJournalBytes));
  write_new_file(output, pieces);
  return parts;
}

}  // namespace inferometer::campaign
