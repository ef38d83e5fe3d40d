// SPDX-License-Identifier: Apache-2.0
// fuzz_models [--models N] [--seconds S] [--seed N] [--keep DIR]: mutated models through reader,
// inference, folding and reference. The model in work is DIR/fuzz_model.onnx, so that a crash
// leaves it behind. Exit: 0; anything else is a find. With --write-seeds DIR the unchanged models
// are written there instead, as fuzz_onnx's corpus.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "../random_graphs/generator.hpp"
#include "base/file.hpp"
#include "consume.hpp"
#include "graph/builder.hpp"
#include "graph/onnx.hpp"
#include "graph/zoo.hpp"
#include "inferometer/error.hpp"
#include "mutate.hpp"

namespace inferometer::fuzz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t models = 5'000, seed = 1;
  std::optional<double> seconds;
  fs::path keep = fs::temp_directory_path();
  std::optional<fs::path> write_seeds;
};

std::string text_of(const fs::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// An opset 6 model with what changed since: a broadcast along an axis, a slope, a shape that is an
/// attribute, a test flag.
graph::Graph old_model() {
  graph::Builder b("old", 6);
  const auto x = b.input("x", DType::F32, {graph::symbol_dim("N"), {3, ""}, {4, ""}});
  const auto channels = b.constant("c", {3}, std::vector<float>{1, 2, 3});
  const auto sum =
      b.node("Add", {x, channels}, {{"broadcast", std::int64_t{1}}, {"axis", std::int64_t{1}}});
  const auto bent = b.node("PRelu", {sum, channels});
  const auto norm = b.node("BatchNormalization", {bent, channels, channels, channels, channels},
                           {{"is_test", std::int64_t{1}}});
  b.output(b.node("Selu", {norm}, {{"consumed_inputs", std::vector<std::int64_t>{0}}}), "y");
  return b.graph();
}

/// Adds x to itself three times, gathering the sums, then takes one of two branches.
graph::Graph controlled_model() {
  graph::Builder b("controlled");
  const auto x = b.input("x", DType::F32, {{2, ""}});
  const auto body = std::make_shared<graph::Graph>();
  for (const auto* name : {"i", "go_on", "sum", "more", "x"})
    body->values.push_back({name, {}, {}, {}, {}});
  body->inputs = {0, 1, 2};
  body->captured = {4};
  body->outputs = {1, 3, 3};
  body->nodes = {{"add", "Add", "", {2, 4}, {3}, {}}};
  const auto trips = b.constant("trips", {}, std::vector<std::int64_t>{3});
  const auto results =
      b.node_with_outputs("Loop", {trips, graph::kNoValue, x}, 2, {{"body", body}});
  const auto branch = std::make_shared<graph::Graph>();
  branch->values = {{"x", {}, {}, {}, {}}, {"z", {}, {}, {}, {}}};
  branch->captured = {0};
  branch->outputs = {1};
  branch->nodes = {{"in", "Neg", "", {0}, {1}, {}}};
  const auto c = b.input("c", DType::Bool, {});
  b.output(b.node("If", {c}, {{"then_branch", branch}, {"else_branch", branch}}), "chosen");
  b.output(results[0], "sum");
  b.output(results[1], "sums");
  auto graph = b.build();
  for (const auto id : graph.outputs) {  // a body's results are what the file declares
    graph.value(id).dtype = DType::F32;
    graph.value(id).shape = {{2, ""}};
  }
  graph.value(graph.outputs.back()).shape = {{3, ""}, {2, ""}};
  return graph;
}

/// Small models of every kind we make: zoo and random graphs, and two by hand.
std::vector<std::string> originals(const fs::path& folder) {
  std::vector<std::string> models;
  const auto file = folder / "fuzz_model.onnx";
  const auto add = [&](const graph::Graph& graph) {
    graph::write_onnx(graph, file);
    models.push_back(text_of(file));
  };
  add(old_model());
  add(controlled_model());
  for (const auto* name : {"tiny_mlp", "tiny_cnn", "two_in_two_out"}) add(graph::zoo(name));
  for (std::uint64_t seed = 1; seed <= 100; ++seed) add(random_graphs::random_graph(seed).graph);
  return models;
}

void write_model(const std::string& model, const fs::path& file) {
  std::ofstream(file, std::ios::binary)
      .write(model.data(), static_cast<std::streamsize>(model.size()));
}

int write_seeds(const std::vector<std::string>& models, const fs::path& folder) {
  fs::create_directories(folder);
  for (std::size_t i = 0; i < models.size(); ++i)
    write_model(models[i], folder / fmt::format("{:03}.onnx", i));
  return 0;
}

std::string run_one(const std::string& model, const fs::path& file) {
  write_model(model, file);
  return consume(std::as_bytes(std::span(model.data(), model.size())));
}

int run(const Options& options) {
  fs::create_directories(options.keep);
  const auto models = originals(options.keep);
  if (options.write_seeds) return write_seeds(models, *options.write_seeds);
  const auto file = options.keep / "fuzz_model.onnx";
  for (const auto& model : models) {
    const auto refusal = run_one(model, file);
    if (refusal.empty()) continue;
    fmt::print("an unchanged model was refused: {}\n", refusal);
    return 1;
  }
  const auto until = Clock::now() + std::chrono::duration<double>(options.seconds.value_or(0));
  random_graphs::Random random(options.seed);
  std::uint64_t done = 0, refused = 0;
  for (; options.seconds ? Clock::now() < until : done < options.models; ++done)
    refused += !run_one(mutate(random.pick(models), random), file).empty();
  fmt::print("{} mutated models: {} refused, {} accepted, no find\n", done, refused,
             done - refused);
  fs::remove(file);
  // All refused or none: then the mutator or the reader does nothing.
  return refused > 0 && refused < done ? 0 : 1;
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("mutated models through reader, inference, folding and reference", "fuzz_models");
  app.add_option("--models", options.models, "how many");
  app.add_option("--seconds", options.seconds, "so long, instead");
  app.add_option("--seed", options.seed, "of the mutations");
  app.add_option("--keep", options.keep, "folder for the model in work");
  app.add_option("--write-seeds", options.write_seeds, "write the unchanged models there instead");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

}  // namespace
}  // namespace inferometer::fuzz

int main(int argc, char** argv) {
  try {
    return inferometer::fuzz::main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print("no Error of ours: {}\n", error.what());
    return 1;
  }
}
