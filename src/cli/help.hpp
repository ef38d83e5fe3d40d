// SPDX-License-Identifier: Apache-2.0
// Help text. Ours instead of the parser library's, so that it reads the same with every version.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace inferometer::cli {

/// Of the whole program.
std::string program_help();
/// Of one subcommand, from the options that it declares and its examples.
std::string command_help(const Command& command);

}  // namespace inferometer::cli
