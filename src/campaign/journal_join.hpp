// SPDX-License-Identifier: Apache-2.0
// Journals of several machines side by side in one file. Launches stay apart: readers take the file
// as several journals.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace inferometer::campaign {

struct JoinedPart {
  std::string path;
  std::size_t journals = 0;    ///< more than one: it was joined itself
  std::size_t lines = 0;       ///< copied
  std::size_t torn_bytes = 0;  ///< left out
};

/// Copies the whole lines of every journal to `output`, which appears when it is whole. Throws
/// Error{Invalid} for a file that is no journal or holds no whole line, for the same journal given
/// twice, when the result would be larger than readers take, and when `output` exists or can't be
/// written.
std::vector<JoinedPart> join_journals(std::span<const std::filesystem::path> journals,
                                      const std::filesystem::path& output);

}  // namespace inferometer::campaign
