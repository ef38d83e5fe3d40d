// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/format.hpp"
#include "report/tables.hpp"

namespace inferometer::report {
namespace {

// A code span takes no escapes: a longer fence than any inside it.
std::string code_span(const std::string& text) {
  std::string fence = "`";
  while (text.find(fence) != std::string::npos) fence += '`';
  std::string safe;
  for (const char letter : text)
    safe += letter == '|' ? std::string("\\|") : std::string(1, letter);
  return fence + (fence.size() > 1 ? " " : "") + safe + (fence.size() > 1 ? " " : "") + fence;
}

std::string table_text(const Table& table) {
  auto text = fmt::format("### {}\n\n|", table.title);
  for (const auto& column : table.columns) text += fmt::format(" {} |", column);
  text += "\n|";
  for (const auto align : table.align) text += align == Align::Right ? "---:|" : "---|";
  text += "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (const auto& cell : row)
      text += fmt::format(
          " {} |", cell.tone == Tone::Code ? code_span(cell.text) : markdown_text(cell.text));
    text += "\n";
  }
  for (const auto& note : table.notes) text += fmt::format("\n{}\n", markdown_text(note));
  return text + "\n";
}

}  // namespace

std::string to_markdown(const Document& document) {
  std::string text;
  if (const auto constant = Naming(document).constant(); !constant.empty())
    text += markdown_text(constant) + "\n\n";
  for (const auto& table : result_tables(document)) text += table_text(table);
  for (const auto& table : {warning_table(document), rerun_table(document, Rerun::All)})
    if (!table.rows.empty()) text += table_text(table);
  for (const auto& note : document.notes) text += markdown_text(note) + "\n";
  return text;
}

}  // namespace inferometer::report
