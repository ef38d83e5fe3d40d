// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include <fmt/format.h>

#include <sstream>

#include "cli/common.hpp"
#include "cli/table.hpp"

namespace inferometer::cli {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string indented(const std::string& text) {
  std::string shifted;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) shifted += "  " + line + "\n";
  return shifted;
}

// "-o,--output FILE" or "MODEL".
std::string shown_name(const Option& option) {
  if (option.positional()) return option.word;
  return option.word.empty() ? option.names : option.names + " " + option.word;
}

// " MODEL [NAME]": arguments first, then the options that can't be left out.
std::string usage_of(const std::vector<Option>& options) {
  std::string arguments, required;
  for (const Option& option : options) {
    const bool needed = option.needed == Option::Needed::Yes;
    if (option.positional())
      arguments += needed ? " " + option.word : " [" + option.word + "]";
    else if (needed)
      required += " " + shown_name(option);
  }
  return arguments + required;
}

}  // namespace

std::string program_help() {
  Facts rows;
  for (const Command& command : commands())
    rows.emplace_back(std::string(command.name), std::string(command.summary));
  return "Measure and compare deep-learning inference engines through one API.\n"
         "\nUsage: inferometer COMMAND [OPTIONS]\n"
         "       inferometer --version\n"
         "\nCommands:\n" +
         indented(facts_text(rows)) +
         "\n`inferometer COMMAND --help` shows a command's options with examples. Every command\n"
         "takes --json. Exit codes: docs/cli.md.\n";
}

std::string command_help(const Command& command) {
  Options declared;
  command.declare(declared);
  Common common;
  add_common(declared, common);
  Facts arguments, options;
  for (const Option& option : declared.all())
    (option.positional() ? arguments : options).emplace_back(shown_name(option), option.help);
  std::string text = fmt::format("{}.\n\nUsage: inferometer {}{} [OPTIONS]\n", command.summary,
                                 command.name, usage_of(declared.all()));
  if (!arguments.empty()) text += "\n" + indented(facts_text(arguments));
  text += "\nOptions:\n" + indented(facts_text(options));
  return text + "\nExamples:\n" + indented(std::string(command.examples));
}

}  // namespace inferometer::cli
