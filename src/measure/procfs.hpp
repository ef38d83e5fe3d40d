// SPDX-License-Identifier: Apache-2.0
// Reading procfs and sysfs: small text files that may vanish at any moment.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::measure {

/// At most `limit_bytes` of the file; none when it can't be opened or read (`errno` says why).
std::optional<std::string> read_kernel_text(const std::filesystem::path& path,
                                            std::size_t limit_bytes = 256u << 10);

/// As read_kernel_text without the trailing newline, or "unavailable: why".
std::string kernel_word(const std::filesystem::path& path);

/// The number behind "key:" at the start of a line, in the line's own unit.
std::optional<std::int64_t> number_after(std::string_view text, std::string_view key);

/// Folders of `path` whose name is a number, ascending.
std::vector<pid_t> numbered_folders(const std::filesystem::path& path);

/// What stands in /proc/PID/stat after the command's name (which may hold spaces and brackets),
/// split at spaces: [0] = state, [1] = parent, ...
std::vector<std::string> stat_fields(std::string_view stat);
/// The number in such a field; none when it is missing or no number.
std::optional<std::int64_t> stat_number(const std::vector<std::string>& fields, std::size_t index);
/// The command's name in it.
std::string stat_name(std::string_view stat);

}  // namespace inferometer::measure
