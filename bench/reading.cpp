// SPDX-License-Identifier: Apache-2.0
// What reading a model costs: time with the file in the page cache, and memory of our own, which
// doesn't grow with the weights: they stay windows of the mapped file.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <vector>

#include "common.hpp"
#include "graph/onnx.hpp"
#include "graph/passes.hpp"
#include "measure/memory.hpp"
#include "measure/statistics.hpp"

namespace {

using namespace inferometer;

constexpr int kRepetitions = 21;
constexpr std::int64_t kMostOwnBytes = 8 << 20;  // the smallest file has 102 MB

struct Case {
  const char* network;
  double target_ns;
};
constexpr Case kCases[] = {{"resnet50", 60e6}, {"vgg19", 100e6}};

std::int64_t own_bytes() {
  const std::array<pid_t, 1> self{getpid()};
  return measure::read_memory(self, measure::Detail::Status).anon_bytes;
}

struct Figures {
  std::vector<double> timings_ns;
  std::int64_t own_bytes = 0;  ///< that the first read and its graph took
};

Figures read_often(const std::filesystem::path& path) {
  Figures figures;
  malloc_trim(0);  // what writing the model left on the heap would hide what reading takes
  const auto before = own_bytes();
  for (int i = 0; i < kRepetitions; ++i) {
    const auto start = bench::now_ns();
    graph::Graph graph = graph::read_onnx(path);
    graph::infer_shapes(graph);
    figures.timings_ns.push_back(static_cast<double>(bench::now_ns() - start));
    if (i == 0) figures.own_bytes = own_bytes() - before;
  }
  return figures;
}

int run(bool json) {
  const ScratchFolder folder("inferometer-bench");
  std::string text;
  Json rows = Json::array();
  bool passed = true;
  for (const Case& what : kCases) {
    const auto figures = read_often(bench::write_model(folder, what.network, 1));
    const double median = measure::median(figures.timings_ns);
    const double most = *std::ranges::max_element(figures.timings_ns);
    passed = passed && median <= what.target_ns && figures.own_bytes <= kMostOwnBytes;
    text += fmt::format(
        "{:10} {:6.1f} ms, median of {} (at most {:.1f}); target {:.0f} ms; own memory {:.1f} MiB, "
        "target {} MiB\n",
        what.network, median / 1e6, kRepetitions, most / 1e6, what.target_ns / 1e6,
        static_cast<double>(figures.own_bytes) / (1 << 20), kMostOwnBytes >> 20);
    rows.push_back({{"network", what.network},
                    {"read_ns", median},
                    {"read_max_ns", most},
                    {"target_ns", what.target_ns},
                    {"own_bytes", figures.own_bytes}});
  }
  return bench::answer("reading", passed ? bench::Verdict::Passed : bench::Verdict::Missed, text,
                       {{"cases", rows}}, json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What reading an ONNX file and inferring its shapes costs."};
  bool json = false;
  app.add_flag("--json", json, "Print JSON.");
  CLI11_PARSE(app, argc, argv);
  return bench::guarded_main("reading", [&] { return run(json); });
}
