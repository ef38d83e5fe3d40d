// SPDX-License-Identifier: Apache-2.0
#include "expectations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/file.hpp"

namespace inferometer::onnx_cases {
namespace {

constexpr std::size_t kWidth = 100;

bool is_case(const std::string& item) {
  return item.find("test_") != std::string::npos;
}

Expected parse_header(const std::string& line, const std::string& where) {
  const auto colon = line.find(": ");
  if (colon == std::string::npos || colon + 2 == line.size())
    throw Error(Status::Invalid, where + ": \"word: reason\" expected");
  Expected header{line.substr(0, colon), line.substr(colon + 2)};
  if (header.word != kFrozen && header.word != kUnstable) parse_status(header.word);
  return header;
}

void add_items(Expectations& table, const std::string& line, const Expected& group,
               const std::string& where) {
  if (group.word.empty()) throw Error(Status::Invalid, where + ": a case before any group");
  std::istringstream items(line);
  for (std::string item; items >> item;) {
    auto& list = is_case(item) ? table.cases : table.operators;
    if (!list.insert({item, group}).second)
      throw Error(Status::Invalid, fmt::format("{}: \"{}\" stands here twice", where, item));
  }
}

bool has_word(const std::string& text, const std::string& word) {
  const auto part_of_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool starts = at == 0 || !part_of_word(text[at - 1]);
    if (starts && (end == text.size() || !part_of_word(text[end]))) return true;
  }
  return false;
}

// An operator stands for its cases when all of them end alike, and one of them names it as the
// reason.
struct OperatorTally {
  std::string word;
  bool alike = true, named = false;
};

// Wrong values say something about one case, never about all of an operator.
bool may_cover(const std::string& word) {
  return word != "ok" && word != kFrozen && word != to_string(Status::Mismatch);
}

std::map<std::string, OperatorTally> tally_operators(const std::vector<Result>& results) {
  std::map<std::string, OperatorTally> tallies;
  for (const Result& result : results) {
    for (const std::string& name : result.which->operators) {
      OperatorTally& tally = tallies.try_emplace(name, OperatorTally{result.word}).first->second;
      tally.alike = tally.alike && tally.word == result.word && may_cover(result.word);
      tally.named = tally.named || has_word(result.text, name.substr(name.rfind('.') + 1));
    }
  }
  return tallies;
}

// Short enough for a heading; what varies between cases of one kind comes later in a text.
std::string condensed(const std::string& text) {
  constexpr std::size_t kLimit = 90;
  std::string line = text.empty() ? "no reason given" : text;
  return line.size() > kLimit ? line.substr(0, kLimit) + "..." : line;
}

Expected expected_of(const Expectations& old, const Result& result) {
  const auto found = old.cases.find(result.which->name);
  if (found != old.cases.end() && found->second.word == result.word) return found->second;
  return {result.word, condensed(result.text)};
}

using Groups = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

void add_groups(Groups& groups, const std::map<std::string, Expected>& list) {
  for (const auto& [item, expected] : list)
    groups[{expected.word, expected.reason}].push_back(item);
}

std::string wrapped(const std::vector<std::string>& items) {
  std::string text;
  std::size_t column = kWidth;
  for (const std::string& item : items) {
    const bool fits = column + 1 + item.size() <= kWidth;
    if (!fits) text += text.empty() ? " " : "\n ";
    column = (fits ? column : 1) + 1 + item.size();
    text += " " + item;
  }
  return text + "\n";
}

}  // namespace

Expectations parse_expectations(const std::string& text, const std::string& what) {
  Expectations table;
  Expected group;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string where = fmt::format("{}:{}", what, ++number);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == ' ') {
      add_items(table, line, group, where);
    } else {
      group = parse_header(line, where);
    }
  }
  return table;
}

Expectations read_expectations(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  return parse_expectations(read_text(path), path.string());
}

const Expected* expectation_of(const Expectations& table, const Case& which) {
  if (const auto found = table.cases.find(which.name); found != table.cases.end())
    return &found->second;
  for (const std::string& name : which.operators)
    if (const auto found = table.operators.find(name); found != table.operators.end())
      return &found->second;
  return nullptr;
}

std::optional<std::string> contradiction(const Expectations& table, const Result& result) {
  const Expected* expected = expectation_of(table, *result.which);
  const std::string wanted = expected == nullptr ? "ok" : expected->word;
  if (wanted == result.word || wanted == kUnstable) return std::nullopt;
  const std::string name = result.which->name;
  if (result.word == "ok")
    return fmt::format("{} passes, the table says {} ({})", name, wanted, expected->reason);
  return fmt::format("{}: {} expected, but {}: {}", name, wanted, result.word, result.text);
}

Expectations updated(const Expectations& old, const std::vector<Result>& results) {
  Expectations table;
  for (const auto& [name, tally] : tally_operators(results)) {
    if (!tally.alike || !tally.named) continue;
    const auto found = old.operators.find(name);
    const bool kept = found != old.operators.end() && found->second.word == tally.word;
    table.operators[name] =
        kept ? found->second : Expected{tally.word, "the engine hasn't got this operator"};
  }
  for (const Result& result : results) {
    const auto before = old.cases.find(result.which->name);
    if (before != old.cases.end() && before->second.word == kUnstable) {
      table.cases.insert(*before);
    } else if (contradiction(table, result)) {
      table.cases[result.which->name] = expected_of(old, result);
    }
  }
  return table;
}

std::string to_text(const Expectations& table, const std::string& title) {
  Groups groups;
  add_groups(groups, table.operators);
  add_groups(groups, table.cases);
  std::string text = "# " + title + "\n";
  for (const auto& [head, items] : groups)
    text += fmt::format("\n{}: {}\n{}", head.first, head.second, wrapped(items));
  return text;
}

}  // namespace inferometer::onnx_cases
