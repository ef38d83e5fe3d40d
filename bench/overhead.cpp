// SPDX-License-Identifier: Apache-2.0
// What a call through us costs: the null engine, which computes and writes nothing, through
// predict_into in this process and through a worker. Noise only ever adds to such a time, so the
// figure is the lowest of several medians; all of them are printed.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "common.hpp"
#include "inferometer/inferometer.hpp"
#include "measure/statistics.hpp"

namespace {

using namespace inferometer;

constexpr int kRepetitions = 10;

struct Case {
  const char* name;
  const char* model;
  std::optional<std::int64_t> image_size;
  const char* isolation;
  int calls;  ///< per repetition
  double target_ns;
};
constexpr Case kCases[] = {{"in_process", "tiny_mlp", {}, "none", 20'000, 500},
                           {"through_a_worker", "tiny_cnn", 224, "process", 2'000, 60'000}};

double median_call_ns(const Model& model, std::span<const View> inputs,
                      std::span<const View> outputs, int calls) {
  std::vector<double> timings;
  timings.reserve(static_cast<std::size_t>(calls));
  for (int i = 0; i < calls; ++i) {
    const std::int64_t start = bench::now_ns();
    model.predict_into(inputs, outputs);
    timings.push_back(static_cast<double>(bench::now_ns() - start));
  }
  return measure::median(timings);
}

std::vector<double> measure_case(const Case& what, const std::filesystem::path& path) {
  const Model model = load(path, {{"engine", "null"},
                                  {"batch_size", 1},
                                  {"in_flight", 1},
                                  {"fill", "none"},
                                  {"isolation", what.isolation}});
  const Tensor input = model.allocate(model.info().inputs.at(0), 1);
  const Tensor output = model.allocate(model.info().outputs.at(0), 1);
  const View in = input;
  const View out = output;
  median_call_ns(model, std::span(&in, 1), std::span(&out, 1), what.calls / 10);
  std::vector<double> medians;
  for (int i = 0; i < kRepetitions; ++i)
    medians.push_back(median_call_ns(model, std::span(&in, 1), std::span(&out, 1), what.calls));
  return medians;
}

int run(bool json) {
  const ScratchFolder folder("inferometer-bench");
  std::string text;
  Json rows = Json::array();
  bool passed = true;
  for (const Case& what : kCases) {
    const auto medians =
        measure_case(what, bench::write_model(folder, what.model, 1, what.image_size));
    const double lowest = *std::min_element(medians.begin(), medians.end());
    passed = passed && lowest <= what.target_ns;
    text += fmt::format("{:18} {:8.0f} ns, the lowest of {} medians ({:.0f}); target {:.0f} ns\n",
                        what.name, lowest, kRepetitions, fmt::join(medians, " "), what.target_ns);
    rows.push_back({{"case", what.name},
                    {"call_ns", lowest},
                    {"medians_ns", medians},
                    {"target_ns", what.target_ns}});
  }
  return bench::answer("overhead", passed ? bench::Verdict::Passed : bench::Verdict::Missed, text,
                       {{"cases", rows}}, json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What a call through Inferometer costs, with the null engine."};
  bool json = false;
  app.add_flag("--json", json, "Print JSON.");
  CLI11_PARSE(app, argc, argv);
  return bench::guarded_main("overhead", [&] { return run(json); });
}
