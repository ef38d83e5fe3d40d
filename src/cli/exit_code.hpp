// SPDX-License-Identifier: Apache-2.0
// What the program's exit code means (docs/cli.md has the same table; a test compares them).
#pragma once

#include <span>
#include <string_view>

#include "inferometer/error.hpp"

namespace inferometer::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitCheckFailed = 1;  ///< a check or comparison failed; its data says which
inline constexpr int kExitUsage = 2;        ///< the command line makes no sense
inline constexpr int kExitInternal = 70;    ///< a bug of ours

struct ExitRow {
  int code;
  std::string_view word;     ///< as in the envelope's "status"
  std::string_view meaning;  ///< one sentence
};
std::span<const ExitRow> exit_rows();

/// Every status has a code of its own.
int exit_code(Status status);

}  // namespace inferometer::cli
