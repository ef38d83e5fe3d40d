// SPDX-License-Identifier: Apache-2.0
#include "process/block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>

#include "core/ports.hpp"

namespace inferometer::process {

namespace {

// What the repeated rows of one pass may take; a longer block is made of several passes.
constexpr std::size_t kPassBytes = 256u << 20;

std::int64_t cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void poison_all(std::span<const View> outputs) {
  for (const View& output : outputs) std::memset(output.data, 0xff, output.size_bytes());
}

/// A tensor's bytes as `outer` blocks of `block` bytes, one batch being one block of each.
struct Layout {
  std::size_t outer = 1, block = 0;
};
Layout layout_of(const View& batch, int axis) {
  Layout layout;
  for (int i = 0; i < axis; ++i)
    layout.outer *= static_cast<std::size_t>(batch.shape[static_cast<std::size_t>(i)]);
  layout.block = layout.outer == 0 ? 0 : batch.size_bytes() / layout.outer;
  return layout;
}

Shape times(Shape shape, int axis, std::int64_t factor) {
  shape[static_cast<std::size_t>(axis)] *= factor;
  return shape;
}

void repeat(const View& batch, int axis, std::int64_t times, void* to) {
  const Layout layout = layout_of(batch, axis);
  auto* out = static_cast<std::byte*>(to);
  for (std::size_t o = 0; o < layout.outer; ++o)
    for (std::int64_t t = 0; t < times; ++t, out += layout.block)
      std::memcpy(out, static_cast<const std::byte*>(batch.data) + o * layout.block, layout.block);
}

void copy_last(const View& all, int axis, std::int64_t times, const View& batch) {
  const Layout layout = layout_of(batch, axis);
  const std::size_t stride = layout.block * static_cast<std::size_t>(times);
  for (std::size_t o = 0; o < layout.outer; ++o)
    std::memcpy(static_cast<std::byte*>(batch.data) + o * layout.block,
                static_cast<const std::byte*>(all.data) + (o + 1) * stride - layout.block,
                layout.block);
}

}  // namespace

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Spent spent() {
  return {now_ns(), cpu_ns()};
}

void compute(core::Runner& runner, std::span<const View> inputs, std::span<const View> outputs) {
  if (outputs.empty())
    runner.predict(inputs, {});
  else
    runner.predict_into(inputs, outputs, {});
}

BlockLoop::BlockLoop(core::Runner& runner, std::vector<View> inputs, std::vector<View> outputs,
                     std::int64_t in_flight)
    : runner_(runner),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      in_flight_(in_flight) {
  const Info& info = runner_.info();
  rows_ = core::check_inputs(info.inputs, inputs_);
  if (!outputs_.empty()) core::check_outputs(info.outputs, outputs_, rows_);
  // Nothing to repeat: every batch is a call.
  if (std::none_of(info.inputs.begin(), info.inputs.end(),
                   [](const Port& port) { return port.batch_axis.has_value(); }))
    in_flight_ = 1;
}

BlockReport BlockLoop::run(std::int64_t batches, Poison poison) {
  if (batches < 1 || batches > kMaxBlockBatches)
    throw Error(Status::Invalid, fmt::format("a block of {} batches", batches));
  untimed_ = {};
  const Spent before = spent();
  BlockReport report = in_flight_ == 1 ? run_each(batches, poison) : run_together(batches, poison);
  const Spent all = spent() - before - untimed_;
  // Reading the clock between calls of a few hundred nanoseconds is no small part of the block.
  const double timed = static_cast<double>(report.wall_ns) /
                       static_cast<double>(std::max<std::int64_t>(1, all.wall_ns));
  report.cpu_ns = std::llround(static_cast<double>(all.cpu_ns) * std::min(1.0, timed));
  report.batches = batches;
  report.samples = batches * rows_;
  return report;
}

// Its CPU time is no more the engine's than its wall time is.
template <class Work>
void BlockLoop::untimed(Work&& work) {
  const Spent before = spent();
  work();
  untimed_ = untimed_ + (spent() - before);
}

BlockReport BlockLoop::run_each(std::int64_t batches, Poison poison) {
  BlockReport report;
  report.timings_ns.resize(static_cast<std::size_t>(batches));
  for (std::int64_t& timing : report.timings_ns) {
    if (poison == Poison::On) untimed([&] { poison_all(outputs_); });
    const std::int64_t start = now_ns();
    compute(runner_, inputs_, outputs_);
    timing = now_ns() - start;
    report.wall_ns += timing;
  }
  return report;
}

BlockReport BlockLoop::run_together(std::int64_t batches, Poison poison) {
  BlockReport report;
  const std::int64_t most = batches_per_pass(batches);
  for (std::int64_t left = batches; left > 0;) {
    untimed([&] {
      const Pass& ready = pass_of(std::min(left, most));
      if (poison == Poison::On) poison_all(ready.output_views);
    });
    const Pass& pass = *pass_;
    const std::int64_t start = now_ns();
    compute(runner_, pass.input_views, pass.output_views);
    report.wall_ns += now_ns() - start;
    left -= pass.batches;
    if (left == 0) untimed([&] { keep_last(pass); });
  }
  report.timings_ns = {report.wall_ns};
  return report;
}

std::int64_t BlockLoop::batches_per_pass(std::int64_t batches) const {
  std::size_t bytes = 1;
  for (const View& input : inputs_) bytes += input.size_bytes();
  for (const View& output : outputs_) bytes += output.size_bytes();
  const auto fitting = static_cast<std::int64_t>(kPassBytes / bytes);
  return std::clamp(fitting, std::min(in_flight_, batches), batches);
}

BlockLoop::Pass& BlockLoop::pass_of(std::int64_t batches) {
  if (pass_ && pass_->batches == batches) return *pass_;
  pass_.reset();  // before the new one, so that two never exist at once
  Pass pass{.batches = batches};
  const Info& info = runner_.info();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const View& batch = inputs_[i];
    const auto axis = info.inputs[i].batch_axis;
    if (axis) {
      pass.inputs.emplace_back(batch.dtype, times(batch.shape, *axis, batches));
      repeat(batch, *axis, batches, pass.inputs.back().data());
    }
    pass.input_views.push_back(axis ? pass.inputs.back().view() : batch);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const View& batch = outputs_[i];
    const auto axis = info.outputs[i].batch_axis;
    if (axis) {
      pass.outputs.emplace_back(batch.dtype, times(batch.shape, *axis, batches));
      poison_all(std::span(&pass.outputs.back().view(), 1));  // its pages exist before the timing
    }
    pass.output_views.push_back(axis ? pass.outputs.back().view() : batch);
  }
  return pass_.emplace(std::move(pass));
}

void BlockLoop::keep_last(const Pass& pass) {
  const Info& info = runner_.info();
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (const auto axis = info.outputs[i].batch_axis)
      copy_last(pass.output_views[i], *axis, pass.batches, outputs_[i]);
}

}  // namespace inferometer::process
