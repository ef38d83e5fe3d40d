// SPDX-License-Identifier: Apache-2.0
// conformance ENGINE FOLDER [EXCEPTIONS.json [CASE]]: runs the suite on one engine's plugin.
// Exit: 0 passed, 1 failed, 77 the engine isn't available here.
#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <set>

#include "base/file.hpp"
#include "base/json.hpp"
#include "suite.hpp"

namespace inferometer::conformance {
namespace {

constexpr int kSkipped = 77;

using Reasons = std::map<std::string, std::string>;

/// {"unsupported": {case: reason}, "expected_failure": {case: reason}}.
struct Exceptions {
  Reasons unsupported, expected_failure;
};

Exceptions read_exceptions(const std::filesystem::path& path) {
  const Json json = parse_json(read_text(path), path.string());
  Exceptions found{json.value("unsupported", Reasons{}), json.value("expected_failure", Reasons{})};
  std::set<std::string> names;
  for (const auto& row : all_cases()) names.insert(row.name);
  for (const auto* list : {&found.unsupported, &found.expected_failure})
    for (const auto& [name, reason] : *list) {
      if (!names.contains(name))
        throw Failure(fmt::format("{}: there is no case \"{}\"", path.string(), name));
      if (reason.empty())
        throw Failure(fmt::format("{}: \"{}\" has no reason", path.string(), name));
    }
  return found;
}

struct Ending {
  bool passed = true, unsupported = false;
  std::string text;
};

Ending run(const Case& row, const Bench& bench) {
  try {
    row.run(bench);
    return {};
  } catch (const Error& error) {
    return {false, error.code() == Status::Unsupported,
            fmt::format("{}: {}", to_string(error.code()), error.what())};
  } catch (const std::exception& error) {
    return {false, false, error.what()};
  }
}

/// nullopt: as it should be; else what is wrong.
std::optional<std::string> judge(const std::string& name, const Ending& ending,
                                 const Exceptions& exceptions) {
  if (const auto found = exceptions.unsupported.find(name); found != exceptions.unsupported.end()) {
    if (ending.passed)
      return "declared unsupported (" + found->second + ") but it passes: remove the declaration";
    if (!ending.unsupported) return "declared unsupported but fails otherwise: " + ending.text;
    return std::nullopt;
  }
  if (const auto found = exceptions.expected_failure.find(name);
      found != exceptions.expected_failure.end()) {
    if (ending.passed)
      return "expected to fail (" + found->second + ") but it passes: remove the declaration";
    return std::nullopt;
  }
  return ending.passed ? std::nullopt : std::optional(ending.text);
}

int run_suite(const Bench& bench, const Exceptions& exceptions, const std::string& only) {
  int failed = 0, declared = 0, count = 0;
  for (const auto& row : all_cases()) {
    if (!only.empty() && only != row.name) continue;
    ++count;
    const Ending ending = run(row, bench);
    const auto wrong = judge(row.name, ending, exceptions);
    if (wrong) ++failed;
    if (!wrong && !ending.passed) ++declared;
    fmt::print("{:<32} {}\n", row.name,
               wrong           ? "FAILED: " + *wrong
               : ending.passed ? "ok"
                               : "declared: " + ending.text);
    std::fflush(stdout);
  }
  fmt::print("{}: {} cases, {} failed, {} declared exceptions\n", bench.engine(), count, failed,
             declared);
  return failed > 0 || count == 0 ? 1 : 0;
}

int main_of(std::span<char*> arguments) {
  if (arguments.size() < 3)
    throw Failure("usage: conformance ENGINE FOLDER [EXCEPTIONS.json [CASE]]");
  const Bench bench(arguments[1], std::filesystem::path(arguments[2]) / arguments[1]);
  const auto exceptions =
      arguments.size() > 3 && *arguments[3] != '\0' ? read_exceptions(arguments[3]) : Exceptions{};
  try {
    bench.probe();
  } catch (const Error& error) {
    if (error.code() != Status::Unavailable) throw;
    fmt::print("skipped: {} is unavailable: {}\n", bench.engine(), error.what());
    return kSkipped;
  }
  return run_suite(bench, exceptions, arguments.size() > 4 ? arguments[4] : "");
}

}  // namespace
}  // namespace inferometer::conformance

int main(int argc, char** argv) {
  try {
    return inferometer::conformance::main_of({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& error) {
    fmt::print(stderr, "conformance: {}\n", error.what());
    return 1;
  }
}
