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

/// Small models of every kind we make: zoo and random graphs.
std::vector<std::string> originals(const fs::path& folder) {
  std::vector<std::string> models;
  const auto file = folder / "fuzz_model.onnx";
  const auto add = [&](const graph::Graph& graph) {
    graph::write_onnx(graph, file);
    models.push_back(text_of(file));
  };
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
