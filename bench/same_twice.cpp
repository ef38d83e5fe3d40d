// SPDX-License-Identifier: Apache-2.0
// A/A: the same cell twice, so that the truth is known. The interval must cover 1, and interleaving
// must do what it is for: its root mean square error at most a third of that of measuring one after
// the other, or below 1 %. "One after the other" is computed from the same timings: one cell's
// blocks of a launch's first half against the other's of the second half. A right 95 % interval
// misses the truth in one run of twenty: a run that misses is repeated once, and two in a row fail.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "base/cpu.hpp"
#include "common.hpp"
#include "launches.hpp"

namespace {

using namespace inferometer;
using bench::Verdict;

struct Options {
  std::string engine = "onnxruntime";
  std::string model = "resnet50";
  std::int64_t batch = 1;
  std::int64_t launches = 5;
  std::int64_t rounds = 40;
  bool json = false;
};

struct Errors {
  std::vector<double> interleaved;  ///< of ln ratio, whose truth is 0; one per launch
  std::vector<double> sequential;   ///< two per launch
};

double log_median(std::span<const double> timings) {
  return std::log(measure::median(timings));
}

void add_errors(Errors& errors, const bench::Launch& launch) {
  const std::span<const double> a = launch.control_ns;
  const std::span<const double> b = launch.cell_ns;
  const std::size_t half = a.size() / 2;
  errors.interleaved.push_back(measure::median(launch.log_ratios()));
  errors.sequential.push_back(log_median(a.first(half)) - log_median(b.last(half)));
  errors.sequential.push_back(log_median(b.first(half)) - log_median(a.last(half)));
}

struct Result {
  measure::Comparison comparison;
  measure::NoiseVerdict noise;
  double interleaved_rms = 0;
  double sequential_rms = 0;
};

Result measure_twice(const Options& options, std::uint64_t seed) {
  const ScratchFolder folder("inferometer-bench");
  const bench::Contestant cell = {
      {},
      bench::write_model(folder, options.model, options.batch),
      {{"engine", options.engine}, {"batch_size", options.batch}, {"threads", default_threads()}}};
  std::vector<std::vector<double>> logs;
  std::vector<measure::CanaryReading> canary;
  Errors errors;
  for (std::int64_t n = 1; n <= options.launches; ++n) {
    const auto launch = bench::launch(
        cell, cell, {.rounds = options.rounds, .seed = seed + static_cast<std::uint64_t>(n)});
    canary.insert(canary.end(), launch.canary.begin(), launch.canary.end());
    logs.push_back(launch.log_ratios());
    if (launch.control_ns.size() >= 2) add_errors(errors, launch);
  }
  return {measure::compare(logs), measure::judge(canary),
          measure::root_mean_square(errors.interleaved),
          measure::root_mean_square(errors.sequential)};
}

bool covers_one(const measure::Comparison& comparison) {
  return comparison.interval && !comparison.told_apart();
}
bool steadier(const Result& result) {
  return result.interleaved_rms <= result.sequential_rms / 3 || result.interleaved_rms < 0.01;
}

Verdict judge(const Result& result) {
  if (result.noise.noise == measure::Noise::Unfit) return Verdict::Unfit;
  return covers_one(result.comparison) && steadier(result) ? Verdict::Passed : Verdict::Missed;
}

std::string text_of(const Result& result) {
  const auto interval = result.comparison.interval.value_or(measure::Interval{});
  return fmt::format(
      "ratio {:.4f} [{:.4f}, {:.4f}], half-width {:.2f} %, {}\n"
      "RMS error: interleaved {:.2f} %, one after the other {:.2f} %\n{}\n",
      result.comparison.ratio, interval.lower, interval.upper, 100 * result.comparison.half_width,
      result.comparison.basis, 100 * result.interleaved_rms, 100 * result.sequential_rms,
      result.noise.text);
}

Json to_json(const Options& options, const Result& result, int runs) {
  const auto interval = result.comparison.interval.value_or(measure::Interval{});
  return {{"engine", options.engine},
          {"model", options.model},
          {"batch_size", options.batch},
          {"runs", runs},
          {"ratio", result.comparison.ratio},
          {"ratio_lower", interval.lower},
          {"ratio_upper", interval.upper},
          {"half_width", result.comparison.half_width},
          {"basis", result.comparison.basis},
          {"interleaved_rms", result.interleaved_rms},
          {"sequential_rms", result.sequential_rms},
          {"noise", result.noise.text}};
}

int run(const Options& options) {
  int runs = 1;
  Result result = measure_twice(options, 200);
  std::string text = text_of(result);
  if (judge(result) == Verdict::Missed) {
    ++runs;
    result = measure_twice(options, 400);
    text += "the same once more:\n" + text_of(result);
  }
  return bench::answer("same_twice", judge(result), text, to_json(options, result, runs),
                       options.json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"One cell twice in the interleaved schedule: the instrument's own error."};
  Options options;
  app.add_option("--engine", options.engine, "The engine.");
  app.add_option("--model", options.model, "A network of the zoo.");
  app.add_option("--batch-size", options.batch, "Samples of a batch.");
  app.add_option("--launches", options.launches, "Launches.")->check(CLI::Range(2, 100));
  app.add_option("--rounds", options.rounds, "Rounds of a launch.");
  app.add_flag("--json", options.json, "Print JSON.");
  CLI11_PARSE(app, argc, argv);
  return bench::guarded_main("same_twice", [&] { return run(options); });
}
