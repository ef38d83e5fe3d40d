// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <numeric>
#include <set>

#include "base/cpu.hpp"
#include "core/host.hpp"
#include "core/ports.hpp"
#include "inferometer/engine_plugin.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

// What the toy engine does and saw; one test at a time.
struct Script {
  float fail_on = -1;              // a row that starts with this value fails
  std::barrier<>* meet = nullptr;  // runs wait here for each other
  std::stop_source* stop_in_run = nullptr;
  bool engine_owned = false;
  std::mutex mutex;
  std::vector<std::int64_t> rows;  // of every run
  std::vector<const void*> bound;  // input memory of every bind
  std::set<CpuList> ran_on;        // affinities of the threads that computed
};
Script* g_script = nullptr;

// y = 2 x + 1, row by row of two numbers.
struct ToyContext : plugin::Context {
  void bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) override {
    input_ = inputs[0];
    output_ = &outputs[0];
    const std::lock_guard lock(g_script->mutex);
    g_script->bound.push_back(inputs[0].data);
  }
  void run() override {
    if (g_script->meet != nullptr) g_script->meet->arrive_and_wait();
    if (g_script->stop_in_run != nullptr) g_script->stop_in_run->request_stop();
    const auto count = static_cast<std::size_t>(input_.shape[0] * 2);
    if (output_->data == nullptr) give_own(count);
    const auto* x = static_cast<const float*>(input_.data);
    auto* y = static_cast<float*>(output_->data);
    for (std::size_t i = 0; i < count; ++i) {
      if (i % 2 == 0 && x[i] == g_script->fail_on) throw Error(Status::PredictFailed, "a bad row");
      y[i] = 2 * x[i] + 1;
    }
    const std::lock_guard lock(g_script->mutex);
    g_script->rows.push_back(input_.shape[0]);
    g_script->ran_on.insert(affinity());
  }
  void give_own(std::size_t count) {
    own_.resize(count);
    output_->data = own_.data();
    output_->ndim = 2;
    output_->shape[0] = input_.shape[0];
    output_->shape[1] = 2;
  }
  DLTensor input_{};
  DLTensor* output_ = nullptr;
  std::vector<float> own_;
};

struct ToyModel : plugin::LoadedModel {
  plugin::ModelInfo info() const override { return {}; }
  std::unique_ptr<plugin::Context> open() override { return std::make_unique<ToyContext>(); }
};

struct ToyEngine : plugin::Engine {
  plugin::Probe probe(const std::filesystem::path&) override { return {}; }
  std::unique_ptr<plugin::LoadedModel> load(const plugin::LoadRequest&) override {
    return std::make_unique<ToyModel>();
  }
};

const Plugin& toy() {
  static ToyEngine engine;
  static const Plugin plugin = {.name = "toy",
                                .path = {},
                                .table = plugin::make_table(&host_table(), "toy", engine),
                                .reason = {}};
  return plugin;
}

class PipelineTest : public testing::Test {
 protected:
  void SetUp() override { g_script = &script_; }

  void start(PipelineOptions options) {
    if (options.cpus.empty()) options.cpus = affinity();
    model_ = std::make_unique<WallModel>(toy(),
                                         WallRequest{.path = "m", .settings = R"({"params":{}})"});
    pipeline_ = std::make_unique<Pipeline>(*model_, ports_, ports_, options);
  }

  // Rows counted from `first`; every output must be its own row's.
  void predict_and_check(std::int64_t rows, float first = 0, const std::stop_token& stop = {}) {
    std::vector<float> x(static_cast<std::size_t>(rows * 2));
    std::iota(x.begin(), x.end(), first);
    std::vector<float> y(x.size(), -1);
    const View input(x.data(), {rows, 2});
    const View output(y.data(), {rows, 2});
    pipeline_->predict({&input, 1}, {&output, 1}, rows, stop);
    for (std::size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(y[i], 2 * x[i] + 1) << "element " << i << " of " << rows << " rows";
  }

  Script script_;
  std::vector<Port> ports_ = {{.name = "x", .shape = {{-1, "N"}, {2, ""}}, .batch_axis = 0}};
  std::unique_ptr<WallModel> model_;
  std::unique_ptr<Pipeline> pipeline_;
};

struct Form {
  std::int64_t streams, in_flight;
  bool dynamic_batch;
};

class Splits : public PipelineTest, public testing::WithParamInterface<Form> {};

TEST_P(Splits, EveryRowArrivesInItsPlace) {
  const Form form = GetParam();
  start({.batch_size = 8,
         .streams = form.streams,
         .in_flight = form.in_flight,
         .dynamic_batch = form.dynamic_batch});
  for (const std::int64_t rows : {1, 7, 8, 9, 37, 64})
    predict_and_check(rows, static_cast<float>(rows));
}

TEST_P(Splits, TheEngineSeesWholeBatchesOrTheTrueRest) {
  const Form form = GetParam();
  start({.batch_size = 8,
         .streams = form.streams,
         .in_flight = form.in_flight,
         .dynamic_batch = form.dynamic_batch});
  predict_and_check(37);
  std::multiset<std::int64_t> rows(script_.rows.begin(), script_.rows.end());
  const std::multiset<std::int64_t> expected = {8, 8, 8, 8, form.dynamic_batch ? 5 : 8};
  EXPECT_EQ(rows, expected);
}

TEST_P(Splits, EightCallersGetTheirOwnRows) {
  const Form form = GetParam();
  start({.batch_size = 8,
         .streams = form.streams,
         .in_flight = form.in_flight,
         .dynamic_batch = form.dynamic_batch});
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([this, caller] {
      for (int i = 0; i < 20; ++i)
        predict_and_check(1 + (caller * 5 + i) % 40, static_cast<float>(caller * 1000));
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, Splits,
                         testing::Values(Form{1, 1, false}, Form{1, 1, true}, Form{1, 3, false},
                                         Form{1, 3, true}, Form{2, 2, false}, Form{2, 2, true},
                                         Form{2, 3, false}, Form{2, 3, true}));

TEST_F(PipelineTest, WholeBatchesAreNotCopied) {
  start({.batch_size = 4, .dynamic_batch = false});
  std::vector<float> x(16), y(16);
  const View input(x.data(), {8, 2});
  const View output(y.data(), {8, 2});
  pipeline_->predict({&input, 1}, {&output, 1}, 8, {});
  EXPECT_EQ(script_.bound, (std::vector<const void*>{x.data(), x.data() + 8}));
}

TEST_F(PipelineTest, WhatIsBoundAlreadyIsNotBoundAgain) {
  start({.batch_size = 4, .dynamic_batch = true});
  std::vector<float> x(8), y(8);
  const View input(x.data(), {4, 2});
  const View output(y.data(), {4, 2});
  for (int i = 0; i < 3; ++i) pipeline_->predict({&input, 1}, {&output, 1}, 4, {});
  EXPECT_EQ(script_.bound.size(), 1u);
  const View fewer(x.data(), {3, 2});
  const View fewer_out(y.data(), {3, 2});
  pipeline_->predict({&fewer, 1}, {&fewer_out, 1}, 3, {});
  EXPECT_EQ(script_.bound.size(), 2u);
}

TEST_F(PipelineTest, TwoStreamsComputeAtOnce) {
  std::barrier meet(2);  // a pipeline that runs one batch after the other never gets past it
  script_.meet = &meet;
  start({.batch_size = 4, .streams = 2, .in_flight = 2});
  predict_and_check(16);
}

TEST_F(PipelineTest, RunnersKeepToTheirCpus) {
  const CpuList one = {affinity().back()};
  if (one == affinity()) GTEST_SKIP() << "this process has one CPU";
  start({.batch_size = 4, .streams = 2, .in_flight = 2, .cpus = one});
  predict_and_check(40);
  EXPECT_EQ(script_.ran_on, std::set<CpuList>{one});
}

TEST_F(PipelineTest, ACallerIsBoundForItsCallOnly) {
  const CpuList all = affinity(), one = {all.back()};
  if (one == all) GTEST_SKIP() << "this process has one CPU";
  start({.batch_size = 4, .cpus = one, .bind_caller = true});
  predict_and_check(8);
  EXPECT_EQ(script_.ran_on, std::set<CpuList>{one});
  EXPECT_EQ(affinity(), all);
}

TEST_F(PipelineTest, AFailedBatchIsThrownAndTheNextPredictWorks) {
  for (const std::int64_t in_flight : {1, 3}) {
    script_.fail_on = 16;  // the second batch of four
    start({.batch_size = 4, .in_flight = in_flight});
    EXPECT_THROW(predict_and_check(40), Error);
    script_.fail_on = -1;
    predict_and_check(40);
  }
}

TEST_F(PipelineTest, AStopRequestIsSeenBetweenBatches) {
  for (const std::int64_t in_flight : {1, 3}) {
    std::stop_source stop;
    script_.stop_in_run = &stop;
    script_.rows.clear();
    start({.batch_size = 4, .in_flight = in_flight});
    try {
      predict_and_check(4000, 0, stop.get_token());
      FAIL() << "in_flight " << in_flight;
    } catch (const Error& error) {
      EXPECT_EQ(error.context().at("cancelled"), "true");
    }
    EXPECT_LT(script_.rows.size(), 1000u);
  }
}

TEST_F(PipelineTest, AStopRequestIsSeenWhenEveryBatchIsQueuedAlready) {
  std::stop_source stop;
  script_.stop_in_run = &stop;  // the first batch stops the three behind it
  start({.batch_size = 4, .in_flight = 8});
  EXPECT_THROW(predict_and_check(16, 0, stop.get_token()), Error);
  EXPECT_EQ(script_.rows.size(), 1u);
}

TEST_F(PipelineTest, AFailedPreparationWaitsForTheBatchesUnderWay) {
  // The toy touches two numbers a row. The ragged second batch is padded: no memory is so large.
  constexpr std::int64_t kHuge = std::int64_t{1} << 60;
  ports_[0].shape[1].size = kHuge;
  start({.batch_size = 4, .in_flight = 2});
  std::vector<float> x(8), y(8);
  const View input(x.data(), {6, kHuge});
  const View output(y.data(), {6, kHuge});
  EXPECT_THROW(pipeline_->predict({&input, 1}, {&output, 1}, 6, {}), Error);
  EXPECT_EQ(script_.rows.size(), 1u);
}

TEST_F(PipelineTest, AnOutputOfTheEnginesOwnIsCopiedWithItsShape) {
  start({.batch_size = 4, .dynamic_batch = true});
  std::vector<float> x = {1, 2, 3, 4, 5, 6};
  const View input(x.data(), {3, 2});
  const View output(static_cast<void*>(nullptr), DType::F32, Shape{});
  for (int i = 0; i < 2; ++i) {
    const auto results = pipeline_->predict_unshaped({&input, 1}, {&output, 1}, 3, {});
    ASSERT_EQ(results.front().shape(), (Shape{3, 2}));
    EXPECT_EQ(results.front().as<float>()[5], 13);
  }
}

TEST_F(PipelineTest, OutputsOfTheEnginesOwnAreJoinedAndCutToTheRows) {
  std::vector<float> x(20);
  std::iota(x.begin(), x.end(), 0.0F);
  const View input(x.data(), {10, 2});
  const View output(static_cast<void*>(nullptr), DType::F32, Shape{});
  for (const bool dynamic : {true, false}) {
    start({.batch_size = 4, .dynamic_batch = dynamic});
    const Tensor y = pipeline_->predict_unshaped({&input, 1}, {&output, 1}, 10, {}).front();
    ASSERT_EQ(y.shape(), (Shape{10, 2}));
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y.as<float>()[i], 2 * x[i] + 1);
  }
  ports_[0].batch_axis.reset();
  EXPECT_THROW(pipeline_->predict_unshaped({&input, 1}, {&output, 1}, 10, {}), Error);
}

}  // namespace
}  // namespace inferometer::core
