// SPDX-License-Identifier: Apache-2.0
// The open loop of a real worker, with an engine that stalls. Real time: only what holds on a
// machine of any speed is asserted.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "campaign/lab.hpp"
#include "graph/onnx.hpp"
#include "graph/zoo.hpp"
#include "measure/fake_queue.hpp"
#include "measure/open_loop.hpp"
#include "measure/pool.hpp"
#include "measure/statistics.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kRunUs = 400;
constexpr std::size_t kPeriod = 40;  // of so many runs one takes 50 times as long
constexpr double kRate = 500;
constexpr std::size_t kArrivals = 1000;

bool stalls(std::size_t run) {
  return run % kPeriod == kPeriod - 1;
}

// What run n takes at least; on a busy machine it takes longer.
std::int64_t least_ns(std::size_t run) {
  return (stalls(run) ? 50 : 1) * kRunUs * 1000;
}

class StallingWorker {
 public:
  StallingWorker()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("inferometer_rate_{}.onnx", ::getpid())) {
    graph::write_onnx(graph::zoo("tiny_mlp", {}), path_);
    std::string times;
    for (std::size_t run = 0; run < kPeriod; ++run)
      times += fmt::format("{}{}", run == 0 ? "[" : ",", least_ns(run) / 1000);
    worker_ = lab_->worker({path_.string(),
                            "null",
                            "",
                            {{"threads", 1}, {"times_us", times + "]"}, {"sleeps", true}},
                            ""});
    const auto info = worker_->load().info;
    worker_->prepare(measure::pool_inputs(info.inputs, 1, measure::kSeed));
  }
  ~StallingWorker() { std::filesystem::remove(path_); }
  StallingWorker(const StallingWorker&) = delete;
  StallingWorker& operator=(const StallingWorker&) = delete;

  CellWorker& operator*() const { return *worker_; }

 private:
  std::filesystem::path path_;
  std::unique_ptr<Lab> lab_ = make_lab();
  std::unique_ptr<CellWorker> worker_;
};

std::vector<double> sorted_latencies(std::span<const std::int64_t> arrivals,
                                     std::span<const std::int64_t> ends) {
  std::vector<double> latencies;
  for (std::size_t i = 0; i < ends.size(); ++i)
    latencies.push_back(static_cast<double>(ends[i] - arrivals[i]));
  std::ranges::sort(latencies);
  return latencies;
}

TEST(OpenLoop, StallsOfAnEngineRaiseTheLatencyOfAllWhoCameMeanwhile) {
  const StallingWorker worker;
  const auto arrivals = measure::poisson_arrivals(kRate, kArrivals, 1);
  const auto report = (*worker).open_loop(arrivals, {});
  ASSERT_EQ(report.served.size(), kArrivals);
  // The first run warmed the executor up.
  const auto queue =
      measure::serve(arrivals, 1, [](std::size_t arrival) { return least_ns(arrival + 1); });
  std::vector<std::int64_t> ends;
  std::size_t slow_runs = 0;
  for (std::size_t i = 0; i < kArrivals; ++i) {
    const auto& served = report.served[i];
    ends.push_back(served.end_ns);
    slow_runs += stalls(i + 1) ? 1 : 0;
    EXPECT_GE(served.start_ns, arrivals[i]);
    EXPECT_GE(served.end_ns - served.start_ns, least_ns(i + 1)) << i;
    EXPECT_GE(served.end_ns, queue[i].end_ns) << i << ": nobody overtakes the queue";
  }
  const auto measured = sorted_latencies(arrivals, ends);
  const auto least = sorted_latencies(arrivals, measure::ends_of(queue));
  EXPECT_GE(measure::quantile(measured, 0.99), 50e3 * kRunUs);
  // One run in forty is slow, but far more than one request in forty waited for one.
  EXPECT_EQ(slow_runs, kArrivals / kPeriod);
  EXPECT_GE(measure::quantile(least, 0.85), 10e3 * kRunUs) << "of this test's own numbers";
  EXPECT_GE(measure::quantile(measured, 0.85), measure::quantile(least, 0.85));
}

TEST(OpenLoop, AHopelessTrialIsGivenUp) {
  const StallingWorker worker;
  const auto arrivals = measure::poisson_arrivals(kRate, kArrivals, 1);
  const auto report = (*worker).open_loop(arrivals, {.latency_ns = 100'000, .most_over = 3});
  EXPECT_EQ(report.served.size(), 4u) << "every run takes longer";
}

}  // namespace
}  // namespace inferometer::campaign
