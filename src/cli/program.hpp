// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace inferometer::cli {

/// The whole program but its `main`: parses, dispatches, prints to `out` and `err`; the exit code.
int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace inferometer::cli
