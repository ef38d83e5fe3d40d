// SPDX-License-Identifier: Apache-2.0
// Aligned text for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::cli {

enum class Align { Left, Right };

struct Column {
  std::string title;
  Align align = Align::Left;
};

/// Rows as wide as `columns`; the last column isn't padded. A cell with several lines keeps them
/// within its column.
std::string table_text(const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows);

/// "name:  value" lines, names padded to the longest.
std::string facts_text(const std::vector<std::pair<std::string, std::string>>& facts);

std::string count_text(std::int64_t count);  ///< "25,557,032"
std::string short_count_text(double count);  ///< "4.09 G", "12 ": a unit follows
std::string bytes_text(std::int64_t bytes);  ///< "97.5 MiB"
std::string duration_text(std::int64_t ns);  ///< "12.3 ms"
std::string time_left_text(double left_s);   ///< "1 min 12 s"

}  // namespace inferometer::cli
