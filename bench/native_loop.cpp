// SPDX-License-Identifier: Apache-2.0
// Throughput through our API against the engine's own Python loop (native_child.py), interleaved
// block by block on one model file with one thread budget. The claim "ours is not slower than
// `bound`" counts only with a half-width of at most 5 %, after at most 15 launches, and holds when
// the interval reaches the bound (design/MEASURING section 5).
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/cpu.hpp"
#include "common.hpp"
#include "inferometer/error.hpp"
#include "launches.hpp"

namespace {

using namespace inferometer;
using bench::Verdict;

constexpr double kBound = 0.99;
constexpr double kWidestHalf = 0.05;
constexpr std::int64_t kMostLaunches = 15;

struct Options {
  std::vector<std::string> engines = {"onnxruntime", "openvino"};
  std::vector<std::int64_t> batches = {1, 8};
  std::string model = "resnet50";
  std::int64_t launches = 5;
  std::int64_t rounds = 20;
  bool json = false;
};

struct Result {
  measure::Comparison comparison;
  measure::NoiseVerdict noise;
  std::size_t launches = 0;
  Verdict verdict = Verdict::Unfit;
};

Verdict judge(const Result& result) {
  if (result.noise.noise == measure::Noise::Unfit) return Verdict::Unfit;
  if (!result.comparison.interval || result.comparison.half_width > kWidestHalf)
    return Verdict::Unfit;
  return result.comparison.interval->upper >= kBound ? Verdict::Passed : Verdict::Missed;
}

Result compare(const std::string& engine, const std::filesystem::path& model, std::int64_t batch,
               const Options& options) {
  const Params params = {{"engine", engine}, {"batch_size", batch}, {"threads", default_threads()}};
  const bench::Contestant native = {NATIVE_CHILD, model, params};
  const bench::Contestant ours = {{}, model, params};
  std::vector<std::vector<double>> logs;
  std::vector<measure::CanaryReading> canary;
  Result result;
  for (std::int64_t n = 1; n <= kMostLaunches; ++n) {
    const auto launch = bench::launch(
        native, ours, {.rounds = options.rounds, .seed = static_cast<std::uint64_t>(100 + n)});
    logs.push_back(launch.log_ratios());
    canary.insert(canary.end(), launch.canary.begin(), launch.canary.end());
    if (n < options.launches) continue;
    result = {measure::compare(logs), measure::judge(canary), logs.size()};
    result.verdict = judge(result);
    // More launches only narrow what was too wide to say anything; a verdict stands.
    if (result.verdict != Verdict::Unfit || options.launches < 5) break;
  }
  return result;
}

// An engine that is not here takes nothing from what the others showed.
Result compare_if_here(const std::string& engine, const std::filesystem::path& model,
                       std::int64_t batch, const Options& options) try {
  return compare(engine, model, batch, options);
} catch (const Error& error) {
  if (error.code() != Status::Unavailable) throw;
  return {.comparison = {}, .noise = {.text = error.what()}};
}

std::string line(const std::string& engine, std::int64_t batch, const Result& result) {
  if (result.launches == 0)
    return fmt::format("{:12} batch {:3}: {}\n", engine, batch, result.noise.text);
  const auto interval = result.comparison.interval.value_or(measure::Interval{});
  return fmt::format(
      "{:12} batch {:3}: ours / native {:.4f} [{:.4f}, {:.4f}], half-width {:.2f} %, {}, {}: {}\n",
      engine, batch, result.comparison.ratio, interval.lower, interval.upper,
      100 * result.comparison.half_width, result.comparison.basis, result.noise.text,
      to_string(result.verdict));
}

Json row(const std::string& engine, std::int64_t batch, const Result& result) {
  Json json = {{"engine", engine},
               {"batch_size", batch},
               {"ratio", result.comparison.ratio},
               {"half_width", result.comparison.half_width},
               {"bound", kBound},
               {"launches", result.launches},
               {"basis", result.comparison.basis},
               {"noise", result.noise.text},
               {"verdict", to_string(result.verdict)}};
  if (result.comparison.interval) {
    json["ratio_lower"] = result.comparison.interval->lower;
    json["ratio_upper"] = result.comparison.interval->upper;
  }
  return json;
}

// A miss outweighs "can't tell", which outweighs a pass.
Verdict worse(Verdict a, Verdict b) {
  if (a == Verdict::Missed || b == Verdict::Missed) return Verdict::Missed;
  return a == Verdict::Unfit ? a : b;
}

int run(const Options& options) {
  const ScratchFolder folder("inferometer-bench");
  Verdict verdict = Verdict::Passed;
  std::string text;
  Json rows = Json::array();
  for (const std::string& engine : options.engines) {
    for (const std::int64_t batch : options.batches) {
      const auto model = bench::write_model(folder, options.model, batch);
      const Result result = compare_if_here(engine, model, batch, options);
      verdict = worse(verdict, result.verdict);
      const std::string told = line(engine, batch, result);
      fmt::print(stderr, "{}", told);  // minutes pass before the last one
      text += told;
      rows.push_back(row(engine, batch, result));
    }
  }
  return bench::answer("native_loop", verdict, text, {{"model", options.model}, {"cells", rows}},
                       options.json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Throughput through Inferometer against the engine's own Python loop."};
  Options options;
  app.add_option("--engines", options.engines, "Engines.")->delimiter(',');
  app.add_option("--batch-sizes", options.batches, "Batch sizes.")->delimiter(',');
  app.add_option("--model", options.model, "A network of the zoo.");
  app.add_option("--launches", options.launches, "At least so many launches; 5 or more to claim.");
  app.add_option("--rounds", options.rounds, "Rounds of a launch.");
  app.add_flag("--json", options.json, "Print JSON.");
  CLI11_PARSE(app, argc, argv);
  return bench::guarded_main("native_loop", [&] { return run(options); });
}
