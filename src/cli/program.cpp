// SPDX-License-Identifier: Apache-2.0
#include "cli/program.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <new>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/envelope.hpp"
#include "cli/help.hpp"
#include "cli/progress.hpp"
#include "cli/stop.hpp"
#include "cli/usage.hpp"
#include "core/wall.hpp"

namespace inferometer::cli {
namespace {

const Command& find_command(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == word) return command;
    names.emplace_back(command.name);
  }
  const auto near = nearest(word, names);
  throw UsageError(
      fmt::format("there is no command '{}'{}; commands: {}", printable(word),
                  near.empty() ? "" : fmt::format(", did you mean {}?", near), join(names)),
      {{"command", word}, {"nearest", near}});
}

Action read_arguments(const Command& command, std::vector<std::string> arguments, Common& common) {
  Options options;
  Action action = command.declare(options);
  add_common(options, common);
  const auto asks_help = [](const auto& word) { return word == "-h" || word == "--help"; };
  if (std::ranges::any_of(arguments, asks_help)) {
    common.help = true;  // whatever else is missing
    return action;
  }
  parse(options, std::move(arguments));
  if (common.quiet && common.verbose)
    throw UsageError("--quiet and --verbose contradict each other");
  return action;
}

std::size_t terminal_columns() {
  winsize size = {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool color_wanted() {
  const char* refused = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && (refused == nullptr || *refused == '\0');
}

Console make_console(const Common& common, ProgressLine& line) {
  Console console;
  console.format = common.json ? Format::Json : Format::Text;
  console.verbosity = common.quiet     ? Verbosity::Quiet
                      : common.verbose ? Verbosity::Verbose
                                       : Verbosity::Normal;
  console.color = color_wanted() ? report::Color::On : report::Color::Off;
  console.stop = stop_on_signals;
  const bool shown = ::isatty(STDERR_FILENO) != 0 && !common.quiet;
  console.progress = [&line, shown](const campaign::ProgressEvent& event) {
    if (shown) line.show(event, ProgressLine::Clock::now());
  };
  return console;
}

Reply act(const Action& action, const Common& common, std::ostream& err) {
  ProgressLine line(err, terminal_columns());
  struct Cleared {
    ProgressLine& line;
    ~Cleared() { line.clear(); }
  } cleared{line};
  if (common.verbose) {
    core::set_log([&err](int, const char* text) { err << text << "\n"; });
  }
  return action(make_console(common, line));
}

// Asked for anywhere on the line: errors of the line itself are JSON too.
bool json_asked(const std::vector<std::string>& arguments) {
  return std::ranges::find(arguments, "--json") != arguments.end();
}

int print_error(const std::vector<std::string>& arguments, const Error& error, int exit,
                std::ostream& out, std::ostream& err) {
  if (json_asked(arguments)) {
    out << printed(error_envelope(error.code(), error.what(), error.context()));
  } else {
    err << "inferometer: " << to_string(error.code()) << ": " << error.what() << "\n";
  }
  return exit;
}

int print_bug(const std::vector<std::string>& arguments, const std::exception& bug,
              std::ostream& out, std::ostream& err) {
  const auto text = std::string("internal error, please report it: ") + bug.what();
  if (json_asked(arguments)) {
    auto json = error_envelope(Status::Invalid, text, {});
    json["status"] = "internal";
    out << printed(json);
  } else {
    err << "inferometer: " << text << "\n";
  }
  return kExitInternal;
}

int print_usage(const std::vector<std::string>& arguments, const UsageError& error,
                std::ostream& out, std::ostream& err) {
  if (json_asked(arguments)) return print_error(arguments, error, kExitUsage, out, err);
  const auto& table = commands();
  const bool known = !arguments.empty() &&
                     std::ranges::find(table, arguments.front(), &Command::name) != table.end();
  err << "inferometer: " << error.what() << "\n"
      << "Try: inferometer " << (known ? arguments.front() + " " : "") << "--help\n";
  return kExitUsage;
}

int print(const Command& command, const Common& common, const Reply& reply, std::ostream& out) {
  if (common.json) {
    const auto about = reply.about.empty() ? command.name : std::string_view(reply.about);
    out << printed(envelope(about, reply.status, reply.data));
  } else {
    out << reply.text;
  }
  out.flush();
  if (!out) throw Error(Status::Invalid, "standard output can't be written: is the disk full?");
  return reply.exit;
}

int dispatch(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  if (arguments.empty()) throw UsageError("a command is missing", {});
  const std::string& first = arguments.front();
  if (first == "-h" || first == "--help" || first == "help") {
    out << program_help();
    return kExitOk;
  }
  if (first == "--version") {
    out << "inferometer " << version() << "\n";
    return kExitOk;
  }
  const Command& command = find_command(first);
  Common common;
  const Action action = read_arguments(command, {arguments.begin() + 1, arguments.end()}, common);
  if (common.help) {
    out << command_help(command);
    return kExitOk;
  }
  return print(command, common, act(action, common, err), out);
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  try {
    return dispatch(arguments, out, err);
  } catch (const UsageError& error) {
    return print_usage(arguments, error, out, err);
  } catch (const Error& error) {
    return print_error(arguments, error, exit_code(error.code()), out, err);
  } catch (const std::bad_alloc&) {
    const Error error(Status::OutOfMemory, "out of memory");
    return print_error(arguments, error, exit_code(error.code()), out, err);
  } catch (const std::exception& bug) {
    return print_bug(arguments, bug, out, err);
  }
}

}  // namespace inferometer::cli
