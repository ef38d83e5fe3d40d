// SPDX-License-Identifier: Apache-2.0
// Tables for a terminal.
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/tables.hpp"

namespace inferometer::report {
namespace {

// Columns on the screen: bytes that begin a UTF-8 character.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, Align align) {
  const auto has = width_of(text);
  const std::string blank(width > has ? width - has : 0, ' ');
  return align == Align::Right ? blank + text : text + blank;
}

std::string painted(const std::string& text, Tone tone, Color color) {
  if (color == Color::Off) return text;
  switch (tone) {
    case Tone::Good:
      return "\033[32m" + text + "\033[0m";
    case Tone::Bad:
      return "\033[31m" + text + "\033[0m";
    case Tone::Muted:
      return "\033[2m" + text + "\033[0m";
    default:
      return text;
  }
}

std::string bold(const std::string& text, Color color) {
  return color == Color::On ? "\033[1m" + text + "\033[0m" : text;
}

std::vector<std::size_t> widths_of(const Table& table) {
  std::vector<std::size_t> widths;
  for (const auto& column : table.columns) widths.push_back(width_of(column));
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i].text));
  return widths;
}

void trim_right(std::string& text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
}

std::string table_text(const Table& table, Color color) {
  const auto widths = widths_of(table);
  auto text = bold(table.title, color) + "\n";
  std::string head;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    head += "  " + padded(table.columns[i], widths[i], table.align[i]);
  trim_right(head);
  text += painted(head, Tone::Muted, color) + "\n";
  for (const auto& row : table.rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += "  " + painted(padded(row[i].text, widths[i], table.align[i]), row[i].tone, color);
    trim_right(line);
    text += line + "\n";
  }
  for (const auto& note : table.notes)
    text += "  " + painted(printable(note, 400), Tone::Muted, color) + "\n";
  return text + "\n";
}

}  // namespace

std::string to_text(const Document& document, Color color) {
  std::string text;
  if (const auto constant = Naming(document).constant(); !constant.empty())
    text += bold(constant, color) + "\n\n";
  for (const auto& table : result_tables(document)) text += table_text(table, color);
  for (const auto& table : {warning_table(document), rerun_table(document, Rerun::Failed)})
    if (!table.rows.empty()) text += table_text(table, color);
  for (const auto& note : document.notes) text += printable(note, 400) + "\n";
  return text;
}

}  // namespace inferometer::report
