// SPDX-License-Identifier: Apache-2.0
// Is a journal what its writer would have written? Every line by itself, then lines against each
// other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::campaign {

struct Finding {
  enum class Kind { Problem, Warning };
  Kind kind = Kind::Problem;
  std::size_t line = 0;  ///< from 1
  std::string text;
};

struct Verified {
  static constexpr std::size_t kMostFindings = 1000;
  std::vector<Finding> findings;  ///< in the order of lines; the first kMostFindings
  std::size_t problems = 0, warnings = 0;
  std::size_t lines = 0, journals = 0;  ///< more journals than one in a joined file
};

/// The whole text of a file. Never throws for what it holds: that is a finding. Behind a line that
/// can't be read, lines are checked by themselves only.
Verified verify_journal(std::string_view text);

}  // namespace inferometer::campaign
