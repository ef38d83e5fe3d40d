// SPDX-License-Identifier: Apache-2.0
// The cost model against the clock: what each launch of a campaign was to take, as it was predicted
// just before, and what it took. Sixty cells of networks, engines and batch sizes, each alone; 90 %
// of those measured on a fit machine must lie within a factor of 1.5.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "campaign/bench.hpp"
#include "campaign/summary.hpp"
#include "common.hpp"

namespace {

using namespace inferometer;
using bench::Verdict;

constexpr double kFactor = 1.5;
constexpr double kShare = 0.9;
constexpr std::size_t kLeastFit = 40;

struct Cell {
  std::string name;
  double predicted_s = 0, took_s = 0;
  bool fit = false;
  bool within() const {
    return took_s > 0 && predicted_s > 0 &&
           std::abs(std::log(predicted_s / took_s)) <= std::log(kFactor);
  }
};

std::vector<Cell> cells_of(const campaign::Journal& journal, const std::string& network) {
  std::vector<Cell> cells;
  const auto outcomes = campaign::summarise(journal);
  for (const auto& launch : journal.launches) {
    const auto end = std::ranges::find_if(journal.ends, [&](const campaign::LaunchEnd& each) {
      return each.launch == launch.launch && each.group == launch.group;
    });
    if (end == journal.ends.end() || launch.cells.empty()) continue;
    const auto& first = launch.cells.front();
    const auto outcome = std::ranges::find(outcomes, first.cell_id, &measure::Outcome::cell_id);
    cells.push_back(
        {fmt::format("{} {} batch {}", network, first.cell.engine,
                     to_string(first.cell.params.at("batch_size"))),
         launch.predicted_s, end->wall_s,
         outcome != outcomes.end() && outcome->values.value("noise_verdict", Json()) == "fit"});
  }
  return cells;
}

struct Options {
  std::vector<std::string> engines = {"onnxruntime", "openvino"};
  std::vector<std::string> networks = {"efficientnet_b0", "resnet50", "densenet201"};
  std::vector<std::int64_t> batches = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32};
  std::int64_t image_size = 128;
  bool json = false;
};

std::vector<Cell> measure_all(const Options& options) {
  const ScratchFolder folder("inferometer-cost");
  const auto lab = campaign::make_lab();
  std::vector<Cell> all;
  for (const auto& network : options.networks)
    for (const auto& engine : options.engines) {
      campaign::BenchOptions asked{
          .models = {bench::write_model(folder, network, std::nullopt, options.image_size)},
          .engines = {engine}};
      asked.workloads = {"throughput"};
      asked.journal = folder.path() / fmt::format("{}-{}.jsonl", network, engine);
      asked.resume = true;
      asked.cache_dir = folder.path() / "cache";
      // One cell a campaign, so that a launch is a cell; each knows what the journal has by then.
      campaign::Journal journal;
      for (const auto batch : options.batches) {
        asked.batch_sizes = {batch};
        journal = campaign::bench(asked, *lab, {}).journal;
      }
      for (auto& cell : cells_of(journal, network)) all.push_back(std::move(cell));
    }
  return all;
}

int run(const Options& options) {
  const auto cells = measure_all(options);
  std::string text;
  auto data = Json::array();
  std::size_t fit = 0, within = 0;
  for (const auto& cell : cells) {
    fit += cell.fit;
    within += cell.fit && cell.within();
    text += fmt::format("{:<36} predicted {:6.2f} s, took {:6.2f} s, ratio {:.2f}{}\n", cell.name,
                        cell.predicted_s, cell.took_s, cell.predicted_s / cell.took_s,
                        cell.fit ? "" : " (not fit)");
    data.push_back({{"cell", cell.name},
                    {"predicted_s", cell.predicted_s},
                    {"took_s", cell.took_s},
                    {"fit", cell.fit}});
  }
  const auto share = fit == 0 ? 0 : static_cast<double>(within) / static_cast<double>(fit);
  text += fmt::format("{} cells, {} of them fit, {} of those within a factor of {} ({:.0f} %)\n",
                      cells.size(), fit, within, kFactor, 100 * share);
  const auto verdict = fit < kLeastFit   ? Verdict::Unfit
                       : share >= kShare ? Verdict::Passed
                                         : Verdict::Missed;
  return bench::answer("cost", verdict, text, {{"cells", data}, {"within", share}}, options.json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Predicted against actual duration of sixty cells."};
  Options options;
  app.add_option("--engines", options.engines, "Engines.")->delimiter(',');
  app.add_option("--networks", options.networks, "Networks of the zoo.")->delimiter(',');
  app.add_option("--batch-sizes", options.batches, "Batch sizes.")->delimiter(',');
  app.add_option("--image-size", options.image_size, "Height and width of the images.");
  app.add_flag("--json", options.json, "Print JSON.");
  CLI11_PARSE(app, argc, argv);
  return bench::guarded_main("cost", [&] { return run(options); });
}
