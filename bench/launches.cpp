// SPDX-License-Identifier: Apache-2.0
#include "launches.hpp"

#include <algorithm>

#include "base/cpu.hpp"
#include "common.hpp"
#include "measure/pool.hpp"
#include "measure/schedule.hpp"
#include "process/region.hpp"
#include "process/worker.hpp"

namespace inferometer::bench {
namespace {

constexpr std::uint64_t kInputSeed = 1;

// Copies the pool's rows into pages that the worker reads in place.
std::vector<Tensor> shared_inputs(const Info& info) {
  std::vector<Tensor> shared;
  for (const Tensor& input : measure::pool_inputs(info.inputs, 1, kInputSeed)) {
    shared.push_back(process::shared_tensor(input.dtype(), input.shape()));
    std::copy_n(static_cast<const std::byte*>(input.data()), input.view().size_bytes(),
                static_cast<std::byte*>(shared.back().data()));
  }
  return shared;
}

// The whole batch is one tensor of a fixed shape: a model's port has all its sizes.
Info with_fixed_batch(Info info) {
  for (Port& port : info.inputs) port.batch_axis.reset();
  return info;
}

class WorkerSubject : public measure::Subject {
 public:
  explicit WorkerSubject(const Contestant& contestant) : worker_({.program = contestant.program}) {
    const auto report = worker_.load(contestant.model, contestant.params);
    inputs_ = shared_inputs(with_fixed_batch(report.info));
    worker_.prepare(inputs_);
    worker_.park();
  }

  measure::BlockTimings run_block(std::int64_t batches) override {
    process::BlockReport report = worker_.run_block(batches);
    return {.wall_ns = report.wall_ns,
            .samples = report.samples,
            .batches = report.batches,
            .timings_ns = std::move(report.timings_ns)};
  }
  void resume() override { worker_.wake(); }
  void pause() override { worker_.park(); }

 private:
  process::Worker worker_;
  std::vector<Tensor> inputs_;
};

double per_sample_ns(const measure::BlockTimings& block) {
  return static_cast<double>(block.wall_ns) / static_cast<double>(block.samples);
}

void record(Launch& launch, const measure::RoundRecord& round) {
  if (round.rejected) {
    launch.rejected += 1;
    return;
  }
  for (const auto& block : round.blocks) {
    if (block.failure) std::rethrow_exception(block.failure);
    (block.subject == 0 ? launch.control_ns : launch.cell_ns).push_back(per_sample_ns(block.block));
  }
}

}  // namespace

Launch launch(const Contestant& control, const Contestant& cell, const LaunchOptions& options) {
  WorkerSubject first(control);
  WorkerSubject second(cell);
  const std::vector<measure::Subject*> subjects = {&first, &second};
  // One amount of work for all launches: readings of several are judged together.
  static measure::Canary canary(default_threads());
  static const measure::CanaryWork work = canary.calibrate();
  Launch launch;
  const measure::ScheduleHooks hooks = {
      .now_ns = now_ns,
      .canary = []() -> std::optional<measure::CanaryReading> { return canary.run(work); },
      .on_round = [&](const measure::RoundRecord& round) { record(launch, round); }};
  auto result = measure::run_schedule(
      subjects, {.rounds = options.rounds, .block_ns = options.block_ns, .seed = options.seed},
      hooks);
  for (const auto& failure : result.failures)
    if (failure) std::rethrow_exception(failure);
  launch.canary = std::move(result.canary);
  return launch;
}

}  // namespace inferometer::bench
