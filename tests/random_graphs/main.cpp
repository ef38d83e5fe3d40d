// SPDX-License-Identifier: Apache-2.0
// random_graphs ENGINE [--graphs N] [--first SEED] [--scratch DIR] [--least-accepted PERCENT]
// Random legal graphs on one engine against reference. A graph that differs is shrunk and left as
// SCRATCH/differs_<seed>.onnx. Exit: 0 all agree, 1 not, 77 no such engine here.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <map>

#include "agreement.hpp"
#include "graph/onnx.hpp"
#include "inferometer/engines.hpp"
#include "known_limits.hpp"
#include "shrink.hpp"

namespace inferometer::random_graphs {
namespace {

namespace fs = std::filesystem;
constexpr int kSkipped = 77;

struct Options {
  std::string engine;
  std::uint64_t graphs = 500, first = 1;
  fs::path scratch = fs::temp_directory_path();
  std::uint64_t least_accepted = 50;
};

struct Tally {
  std::uint64_t agree = 0, differ = 0, refused = 0, excused = 0;
  std::map<std::string, std::uint64_t> refusals, limits;
};

bool is_here(const std::string& name) {
  for (const auto& engine : engines())
    if (engine.name == name) return engine.available;
  return false;
}

std::string text_of(const graph::Graph& graph) {
  std::string text;
  for (const auto& node : graph.nodes) {
    text += "    " + node.name + "(";
    for (const auto id : node.inputs)
      text += id == graph::kNoValue ? "-, " : graph.value(id).name + ", ";
    text += ")\n";
  }
  return text;
}

RandomGraph shrunk(const Options& options, const RandomGraph& graph, const fs::path& file) {
  return shrink(graph, [&](const RandomGraph& smaller) {
    return judge(options.engine, smaller, file).verdict == Verdict::Differs;
  });
}

void report_difference(const Options& options, std::uint64_t seed, const RandomGraph& small) {
  const auto file = options.scratch / fmt::format("differs_{}.onnx", seed);
  const auto judgement = judge(options.engine, small, file);
  fmt::print("seed {} differs, shrunk to {} nodes, opset {}, {}: {}\n{}", seed,
             small.graph.nodes.size(), small.graph.opset, file.string(), judgement.reason,
             text_of(small.graph));
}

/// The beginning of a text: what follows names nodes and shapes of that graph.
std::string kind_of(const std::string& reason) {
  return reason.substr(0, 100);
}

Tally run(const Options& options) {
  Tally tally;
  const auto file = options.scratch / fmt::format("random_{}.onnx", options.engine);
  for (auto seed = options.first; seed < options.first + options.graphs; ++seed) {
    const auto graph = random_graph(seed);
    const auto judgement = judge(options.engine, graph, file);
    if (judgement.verdict == Verdict::Agrees) ++tally.agree;
    if (judgement.verdict == Verdict::Refused)
      ++tally.refused, ++tally.refusals[kind_of(judgement.reason)];
    if (judgement.verdict != Verdict::Differs) continue;
    // A limit that merely stands somewhere in a large graph would excuse anything.
    const auto small = shrunk(options, graph, file);
    if (const auto* limit = known_limit(options.engine, small.graph)) {
      ++tally.excused, ++tally.limits[limit->what];
      continue;
    }
    ++tally.differ;
    report_difference(options, seed, small);
  }
  return tally;
}

void print(const Options& options, const Tally& tally) {
  for (const auto& [what, count] : tally.limits) fmt::print("excused {} times: {}\n", count, what);
  for (const auto& [reason, count] : tally.refusals)
    fmt::print("refused {} times: {}\n", count, reason);
  fmt::print("{}: {} agree, {} differ, {} excused, {} refused\n", options.engine, tally.agree,
             tally.differ, tally.excused, tally.refused);
}

bool has_stale_limit(const std::string& engine, const Tally& tally) {
  bool stale = false;
  for (const auto& limit : known_limits()) {
    if (engine != limit.engine || tally.limits.contains(limit.what)) continue;
    fmt::print("no graph shows it any more, take it out of known_limits.cpp: {}\n", limit.what);
    stale = true;
  }
  return stale;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("random legal graphs on one engine against reference", "random_graphs");
  app.add_option("ENGINE", options.engine)->required();
  app.add_option("--graphs", options.graphs, "how many");
  app.add_option("--first", options.first, "the first seed");
  app.add_option("--scratch", options.scratch, "folder for models");
  app.add_option("--least-accepted", options.least_accepted,
                 "percent that the engine must not refuse");
  CLI11_PARSE(app, argc, argv);
  if (!is_here(options.engine)) {
    fmt::print("engine {} is not here\n", options.engine);
    return kSkipped;
  }
  fs::create_directories(options.scratch);
  const auto tally = run(options);
  print(options, tally);
  const auto accepted = 100 * (options.graphs - tally.refused);
  const bool stale = options.graphs >= Options().graphs && has_stale_limit(options.engine, tally);
  return tally.differ == 0 && !stale && accepted >= options.least_accepted * options.graphs ? 0 : 1;
}

}  // namespace
}  // namespace inferometer::random_graphs

int main(int argc, char** argv) {
  try {
    return inferometer::random_graphs::main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "random_graphs: {}\n", error.what());
    return 1;
  }
}
