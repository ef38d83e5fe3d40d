// SPDX-License-Identifier: Apache-2.0
// A power meter's log: CSV that something else writes while we measure (docs/cli.md, "Energy").
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::measure {

struct PowerSample {
  std::int64_t time_ns = 0;  ///< since 1970, UTC
  double watts = 0;
};

struct PowerLog {
  std::string name;                  ///< for messages
  std::vector<PowerSample> samples;  ///< times increase
};

/// Bounds of the reader: logs come from strangers.
inline constexpr std::size_t kMaxLogBytes = 64u << 20;
inline constexpr std::size_t kMaxLogLineBytes = 4096;

/// The first line names the columns; a last line without its newline is ignored. Throws
/// Error{Invalid} naming the line.
PowerLog parse_power_log(std::string_view text, const std::string& name);
PowerLog read_power_log(const std::filesystem::path& path);

/// "1769860800.5" (seconds since 1970), "2026-01-31T12:00:00.5Z", "2026/01/31 13:00:00.500+01:00";
/// without a zone: this machine's local time. None: it is no time between 1970 and 2262.
std::optional<std::int64_t> parse_log_time(std::string_view text);
/// "2026-01-31T12:00:00.500Z".
std::string log_time_text(std::int64_t time_ns);

}  // namespace inferometer::measure
