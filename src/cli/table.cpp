// SPDX-License-Identifier: Apache-2.0
#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace inferometer::cli {
namespace {

// Characters, not bytes: names come from model files.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned>(c) & 0xC0u) != 0x80u; }));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (lines.empty()) lines.emplace_back();
  return lines;
}

std::vector<std::size_t> widths_of(const std::vector<Column>& columns,
                                   const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    widths.push_back(width(columns[i].title));
    for (const auto& row : rows)
      for (const auto& line : lines_of(row[i])) widths[i] = std::max(widths[i], width(line));
  }
  return widths;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string row_text(const std::vector<Column>& columns, const std::vector<std::size_t>& widths,
                     const std::vector<std::string>& row) {
  std::vector<std::vector<std::string>> cells;
  std::size_t height = 1;
  for (const auto& cell : row) {
    cells.push_back(lines_of(cell));
    height = std::max(height, cells.back().size());
  }
  std::string text;
  for (std::size_t line = 0; line < height; ++line) {
    std::string whole;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string piece = line < cells[i].size() ? cells[i][line] : "";
      const std::string space(widths[i] - std::min(widths[i], width(piece)), ' ');
      whole +=
          (i == 0 ? "" : "  ") + (columns[i].align == Align::Left ? piece + space : space + piece);
    }
    text += trimmed(whole) + "\n";
  }
  return text;
}

struct Scale {
  double size;
  std::string_view name;
};

std::string scaled(double value, std::initializer_list<Scale> scales) {
  for (const auto& scale : scales) {
    if (std::abs(value) < scale.size) continue;
    const double shown = value / scale.size;
    const int decimals = shown < 10 ? 2 : shown < 100 ? 1 : 0;
    return fmt::format("{:.{}f} {}", shown, decimals, scale.name);
  }
  return fmt::format("{:.0f} {}", value, (scales.end() - 1)->name);
}

}  // namespace

std::string table_text(const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
  const auto widths = widths_of(columns, rows);
  std::vector<std::string> titles;
  for (const auto& column : columns) titles.push_back(column.title);
  std::string text = row_text(columns, widths, titles);
  for (const auto& row : rows) text += row_text(columns, widths, row);
  return text;
}

std::string facts_text(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::size_t longest = 0;
  for (const auto& [name, value] : facts) longest = std::max(longest, width(name));
  std::string text;
  for (const auto& [name, value] : facts) {
    const std::string margin(longest + 2, ' ');
    bool first = true;
    for (const auto& line : lines_of(value)) {
      const std::string lead = name + std::string(longest + 2 - width(name), ' ');
      text += trimmed((first ? lead : margin) + line) + "\n";
      first = false;
    }
  }
  return text;
}

std::string count_text(std::int64_t count) {
  std::string text = std::to_string(count);
  const std::size_t sign = count < 0 ? 1 : 0;
  for (std::size_t i = text.size(); i > sign + 3;) text.insert(i -= 3, ",");
  return text;
}

std::string short_count_text(double count) {
  return scaled(count, {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1e300, ""}});
}

std::string bytes_text(std::int64_t bytes) {
  return scaled(static_cast<double>(bytes),
                {{1024.0 * 1024 * 1024, "GiB"}, {1024.0 * 1024, "MiB"}, {1024, "KiB"}, {1e9, "B"}});
}

std::string duration_text(std::int64_t ns) {
  return scaled(static_cast<double>(ns), {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1e9, "ns"}});
}

std::string time_left_text(double left_s) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::max(left_s, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace inferometer::cli
