// SPDX-License-Identifier: Apache-2.0
// onnx_cases ENGINE --data DIR [--expectations FILE] [--scratch DIR] [--case NAME] [--update]
//            [--jobs N] [--limit SECONDS]
// Runs ONNX's cases on one engine and holds the endings against a table of those that don't pass.
// Exit: 0 as the table says, 1 not, 77 no such engine or data here.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "base/file.hpp"
#include "child.hpp"
#include "core/wall.hpp"
#include "expectations.hpp"
#include "summary.hpp"

namespace inferometer::onnx_cases {
namespace {

namespace fs = std::filesystem;
constexpr int kSkipped = 77;

struct Options {
  std::string engine, only, child_scratch;
  fs::path data, expectations, scratch = fs::temp_directory_path();
  bool update = false;
  unsigned jobs = 1, limit_s = 30;
};

std::optional<Options> parse(int argc, char** argv, int& exit_code) {
  Options options;
  CLI::App app("ONNX's own cases on one engine", "onnx_cases");
  app.add_option("ENGINE", options.engine)->required();
  app.add_option("--data", options.data, "folder with node/test_*/model.onnx");
  app.add_option("--expectations", options.expectations, "table of what doesn't pass");
  app.add_option("--scratch", options.scratch, "folder for rewritten models");
  app.add_option("--case", options.only, "this case only, with what the engine prints");
  app.add_flag("--update", options.update, "rewrite the table");
  app.add_option("--jobs", options.jobs, "processes")->check(CLI::Range(1u, 64u));
  app.add_option("--limit", options.limit_s, "seconds for one case");
  app.add_option("--child", options.child_scratch)->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return std::nullopt;
  }
  return options;
}

Result run_one(CaseChild& child, const Case& which) {
  const Outcome plain = child.run(which, false);
  if (plain.status == Status::Ok) return {&which, "ok", {}};
  if (which.freezable && child.run(which, true).status == Status::Ok)
    return {&which, kFrozen, fmt::format("else {}: {}", to_string(plain.status), plain.text)};
  return {&which, std::string(to_string(plain.status)), plain.text};
}

std::vector<Result> run_all(const Options& options, const std::vector<const Case*>& cases) {
  std::vector<Result> results(cases.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&](unsigned job) {
    CaseChild child({.engine = options.engine,
                     .scratch = options.scratch / fmt::format("frozen_{}.onnx", job),
                     .limit = std::chrono::seconds(options.limit_s),
                     .show_output = !options.only.empty()});
    for (std::size_t i = next++; i < cases.size(); i = next++)
      results[i] = run_one(child, *cases[i]);
  };
  std::vector<std::jthread> threads;
  for (unsigned job = 0; job < options.jobs; ++job) threads.emplace_back(work, job);
  threads.clear();
  return results;
}

/// Those that can be given to an engine at all: the API has no strings, sequences and exotic
/// dtypes.
std::vector<const Case*> runnable(const std::vector<Case>& cases, const std::string& only) {
  std::vector<const Case*> chosen;
  for (const Case& which : cases)
    if (which.has_our_dtypes && (only.empty() || only == which.name)) chosen.push_back(&which);
  return chosen;
}

int judge(const Options& options, const std::vector<Result>& results) {
  const Expectations table = read_expectations(options.expectations);
  if (options.update) {
    const std::string title = fmt::format(
        "{}: what doesn't pass, and why (see expectations.hpp). Written by --update, which keeps "
        "reasons.",
        options.expectations.stem().string());
    write_text_atomic(options.expectations, to_text(updated(table, results), title));
    return 0;
  }
  int wrong = 0;
  for (const Result& result : results) {
    if (const auto text = contradiction(table, result)) {
      fmt::print("{}\n", *text);
      ++wrong;
    }
  }
  if (wrong > 0)
    fmt::print("{} cases end otherwise than {} says; if that is right, record it: --update\n",
               wrong, options.expectations.string());
  return wrong > 0 ? 1 : 0;
}

int skip(const std::string& reason) {
  fmt::print("skipped: {}\n", reason);
  return kSkipped;
}

int run(const Options& options) {
  try {
    core::probe(core::plugin_named(options.engine), "");
  } catch (const Error& error) {
    if (error.code() != Status::Unavailable) throw;
    return skip(options.engine + " is unavailable: " + error.what());
  }
  const auto cases = find_cases(options.data);
  if (cases.empty())
    return skip(
        fmt::format("no cases in {} (Debian's libonnx-testdata, or tests/onnx_cases/generate.py)",
                    options.data.string()));
  fs::create_directories(options.scratch);
  const auto chosen = runnable(cases, options.only);
  const auto begin = std::chrono::steady_clock::now();
  const auto results = run_all(options, chosen);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (!options.only.empty()) {
    for (const Result& result : results)
      fmt::print("{}: {} {}\n", result.which->name, result.word, result.text);
    return results.empty() ? 1 : 0;
  }
  fmt::print("{}: {} of {} cases run in {:.1f} s\n{}", options.engine, results.size(), cases.size(),
             took.count(), summary(cases, results));
  return judge(options, results);
}

int main_of(int argc, char** argv) {
  int exit_code = 0;
  const auto options = parse(argc, argv, exit_code);
  if (!options) return exit_code;
  if (!options->child_scratch.empty()) return serve_cases(options->engine, options->child_scratch);
  return run(*options);
}

}  // namespace
}  // namespace inferometer::onnx_cases

int main(int argc, char** argv) {
  try {
    return inferometer::onnx_cases::main_of(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "onnx_cases: {}\n", error.what());
    return 1;
  }
}
