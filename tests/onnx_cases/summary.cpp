// SPDX-License-Identifier: Apache-2.0
#include "summary.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace inferometer::onnx_cases {
namespace {

struct Row {
  int cases = 0;
  std::map<std::string, int> endings;
};

constexpr const char* kAll = "all";

std::string row_of(const Case& which) {
  std::string kind(to_string(which.kind));
  if (which.kind != CaseClass::Float) return kind;
  return kind + (which.first_operators ? ", first 60 operators" : ", other operators");
}

// The order of columns: what passed first.
std::vector<std::string> columns_of(const std::vector<Result>& results) {
  std::set<std::string> others;
  for (const Result& result : results) others.insert(result.word);
  others.erase("ok");
  others.erase(kFrozen);
  std::vector<std::string> columns{"ok", kFrozen};
  columns.insert(columns.end(), others.begin(), others.end());
  return columns;
}

std::string line_of(const std::string& name, const Row& row,
                    const std::vector<std::string>& columns) {
  std::string line = fmt::format("{:<30} {:>6}", name, row.cases);
  for (const std::string& column : columns) {
    const auto found = row.endings.find(column);
    line += fmt::format(" {:>{}}", found == row.endings.end() ? 0 : found->second,
                        std::max<std::size_t>(column.size(), 6));
  }
  return line + "\n";
}

}  // namespace

std::string summary(const std::vector<Case>& cases, const std::vector<Result>& results) {
  std::map<std::string, Row> rows;
  for (const Case& which : cases)
    for (const std::string& name : {row_of(which), std::string(kAll)}) ++rows[name].cases;
  for (const Result& result : results)
    for (const std::string& name : {row_of(*result.which), std::string(kAll)})
      ++rows[name].endings[result.word];

  const auto columns = columns_of(results);
  std::string text = fmt::format("{:<30} {:>6}", "", "cases");
  for (const std::string& column : columns) text += fmt::format(" {:>6}", column);
  text += "\n";
  for (const auto& [name, row] : rows)
    if (name != kAll) text += line_of(name, row, columns);
  return text + line_of(kAll, rows[kAll], columns);
}

}  // namespace inferometer::onnx_cases
