// SPDX-License-Identifier: Apache-2.0
// Workers that do what they are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <future>
#include <thread>

#include "process/region.hpp"
#include "process/tree.hpp"
#include "rogue.hpp"

namespace inferometer::process {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.as<float>();
  return {values.begin(), values.end()};
}

TEST(Worker, PredictsFromOrdinaryMemory) {
  Worker worker(rogue());
  const LoadReport report = worker.load("/m.onnx", {});
  EXPECT_EQ(report.info.engine, "fake");
  EXPECT_GT(report.load_ns, 0);
  for (const std::int64_t rows : {1, 2, 37}) {
    const Inputs in(rows);
    const auto outputs = worker.predict(in.views);
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0].shape(), (Shape{rows, 4}));
    EXPECT_EQ(floats(outputs[0]), in.expected());
  }
  EXPECT_EQ(worker.explain(), R"({"fake":true})");
  EXPECT_EQ(worker.profile(), "");
}

TEST(Worker, LoadsAnotherModelAfterItUnloadedOne) {
  Worker worker(rogue());
  EXPECT_EQ(error_of([&] { worker.unload(); }).code(), Status::Invalid) << "there is none";
  worker.load("/m.onnx", {});
  const Inputs in(2);
  worker.predict(in.views);
  worker.unload();
  EXPECT_EQ(error_of([&] { worker.predict(in.views); }).code(), Status::Invalid);
  EXPECT_EQ(error_of([&] { worker.run_block(1); }).code(), Status::Invalid);
  worker.load("/m.onnx", {});
  EXPECT_EQ(floats(worker.predict(in.views)[0]), in.expected());
}

TEST(Worker, PredictsIntoSharedAndOrdinaryMemory) {
  Worker worker(rogue());
  const LoadReport report = worker.load("/m.onnx", {});
  const Inputs in(3);
  const Tensor x = worker.allocate(report.info.inputs[0], 3);
  std::copy(in.x.begin(), in.x.end(), x.as<float>().begin());
  const Tensor y = worker.allocate(report.info.outputs[0], 3);
  worker.predict_into(std::vector<View>{x, in.views[1]}, std::vector<View>{y});
  EXPECT_EQ(floats(y), in.expected());

  std::vector<float> plain(12);
  worker.predict_into(in.views, std::vector<View>{View(plain.data(), {3, 4})});
  EXPECT_EQ(plain, in.expected());

  // A window of shared pages, not at their beginning.
  worker.predict_into(std::vector<View>{View(x.as<float>().data() + 4, {1, 4}), in.views[1]},
                      std::vector<View>{View(y.as<float>().data() + 8, {1, 4})});
  EXPECT_EQ(y.as<float>()[8], in.expected()[4]);
}

TEST(Worker, GoesOnWhenNoDescriptorIsLeft) {
#ifdef INFEROMETER_SANITIZED
  GTEST_SKIP() << "a sanitizer opens a pipe to see whether an exception's memory can be read";
#endif
  Worker worker(rogue());
  const LoadReport report = worker.load("/m.onnx", {});
  Inputs in(3);
  const Tensor x = worker.allocate(report.info.inputs[0], 3);
  const Tensor y = worker.allocate(report.info.outputs[0], 3);
  std::copy(in.x.begin(), in.x.end(), x.as<float>().begin());
  in.views[0] = x;
  const auto predict = [&] { worker.predict_into(in.views, std::vector<View>{y}); };
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const UniqueFd next(::dup(0));
  const rlimit none_left = {static_cast<rlim_t>(next.get()), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  const Error error = error_of(predict);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(error.code(), Status::Unavailable) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("Too many open files"));
  predict();
  EXPECT_EQ(floats(y), in.expected());
}

TEST(Worker, KnowsOutputShapesFromItsInputs) {
  Worker worker(rogue());
  worker.load("/m.onnx", {{"outputs", "symbolic"}});
  const Inputs in(2);
  const auto outputs = worker.predict(in.views);
  EXPECT_EQ(floats(outputs.at(0)), in.expected());
  EXPECT_TRUE(Region::find(outputs[0].data(), outputs[0].view().size_bytes()))
      << "written in pages that were here before the call";
}

TEST(Worker, CarriesOutputsWhoseShapesDependOnTheData) {
  Worker worker(rogue());
  worker.load("/m.onnx", {{"outputs", "dynamic"}});
  const Inputs in(2);
  const auto outputs = worker.predict(in.views);
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(floats(outputs[0]), in.expected());
  EXPECT_THAT(outputs[1].as<std::int64_t>(), ElementsAreArray({3, 4, 5, 6, 7}));
}

TEST(Worker, ErrorsCrossWithStatusAndContext) {
  Worker worker(rogue());
  const Error refused = error_of([&] { worker.load("/refused.onnx", {}); });
  EXPECT_EQ(refused.code(), Status::LoadFailed);
  EXPECT_STREQ(refused.what(), "no such model");
  EXPECT_EQ(refused.context().at("node"), "Conv_1");
  EXPECT_TRUE(worker.alive());
  EXPECT_EQ(error_of([&] { worker.explain(); }).code(), Status::Invalid);
  worker.load("/m.onnx", {{"act", "bad_alloc"}});
  const Inputs in;
  EXPECT_EQ(error_of([&] { worker.predict(in.views); }).code(), Status::OutOfMemory);
  EXPECT_TRUE(worker.alive()) << "an allocation that failed is not a death";
}

TEST(Worker, RefusesAPathThatIsNotUtf8) {
  Worker worker(rogue());
  const Error refused = error_of([&] { worker.load("/m\xff.onnx", {}); });
  EXPECT_EQ(refused.code(), Status::Invalid);
  EXPECT_THAT(refused.what(), HasSubstr("/m\uFFFD.onnx"));
  EXPECT_TRUE(worker.alive());
}

TEST(Worker, RunsBlocksOnOneSharedInput) {
  const Inputs in(2);
  const Tensor x = shared_tensor(DType::F32, Shape{2, 4});
  std::copy(in.x.begin(), in.x.end(), x.as<float>().begin());
  const Tensor k = shared_tensor(DType::I64, Shape{});
  k.as<std::int64_t>()[0] = 3;
  Worker one(rogue()), other(rogue());
  one.load("/m.onnx", {});
  other.load("/m.onnx", {{"in_flight", "3"}});
  for (Worker* worker : {&one, &other}) worker->prepare(std::vector<Tensor>{x, k});
  const BlockReport each = one.run_block(5, Poison::On);
  EXPECT_EQ(each.timings_ns.size(), 5u);
  EXPECT_EQ(each.samples, 10);
  EXPECT_GT(each.cpu_ns, 0);
  EXPECT_EQ(floats(one.block_outputs().at(0)), in.expected());
  const BlockReport together = other.run_block(5);
  EXPECT_EQ(together.timings_ns.size(), 1u);
  EXPECT_EQ(together.batches, 5);
  EXPECT_EQ(floats(other.block_outputs().at(0)), in.expected());
  EXPECT_EQ(error_of([&] { one.run_block(0); }).code(), Status::Invalid);
}

TEST(Worker, ServesArrivalsInAnOpenLoop) {
  const Tensor x = shared_tensor(DType::F32, Shape{2, 4});
  const Tensor k = shared_tensor(DType::I64, Shape{});
  const std::vector<std::int64_t> arrivals = {0, 1'000'000, 1'000'001, 20'000'000};
  Worker worker(rogue());
  worker.load("/m.onnx", {{"in_flight", "3"}});
  EXPECT_EQ(error_of([&] { worker.run_open(arrivals); }).code(), Status::Invalid) << "unprepared";
  worker.prepare(std::vector<Tensor>{x, k});
  const auto report = worker.run_open(arrivals);
  ASSERT_EQ(report.served.size(), arrivals.size());
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    EXPECT_GE(report.served[i].start_ns, arrivals[i]);
    EXPECT_GE(report.served[i].end_ns, report.served[i].start_ns);
  }
  EXPECT_GT(report.cpu_ns, 0);
  EXPECT_EQ(error_of([&] { worker.run_open({}); }).code(), Status::Invalid);
  EXPECT_TRUE(worker.alive());
  Worker alone(rogue());
  alone.load("/m.onnx", {});
  alone.prepare(std::vector<Tensor>{x, k});
  EXPECT_EQ(alone.run_open(arrivals, {.latency_ns = -1, .most_over = 1}).served.size(), 2u);
}

TEST(Worker, IsLostInAnOpenLoopAsInACall) {
  const Tensor x = shared_tensor(DType::F32, Shape{2, 4});
  const Tensor k = shared_tensor(DType::I64, Shape{});
  Worker worker(rogue());
  worker.load("/m.onnx", {{"act", "crash"}});
  worker.prepare(std::vector<Tensor>{x, k});
  const std::vector<std::int64_t> arrivals = {0};
  const Error error = error_of([&] { worker.run_open(arrivals); });
  EXPECT_EQ(error.code(), Status::Crashed) << error.what();
  EXPECT_EQ(error.context().at("stage"), "open_loop");
}

TEST(Worker, ServesManyThreadsAtOnce) {
  Worker worker(rogue());
  worker.load("/m.onnx", {{"in_flight", "3"}});
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      Inputs in(1 + t);
      in.k = t;
      for (int i = 0; i < 50; ++i)
        if (floats(worker.predict(in.views).at(0)) != in.expected()) ++wrong;
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(Worker, ParksAndWakes) {
  Worker worker(rogue());
  worker.load("/m.onnx", {});
  worker.park();
  EXPECT_TRUE(all_stopped(worker.pid()));
  worker.wake();
  while (state_of(worker.pid()) == 'T') ::poll(nullptr, 0, 1);
  worker.park();
  const Inputs in;
  EXPECT_EQ(floats(worker.predict(in.views).at(0)), in.expected()) << "a call wakes it";
  worker.park();  // and it ends parked
}

TEST(Worker, CancelsAPrediction) {
  std::stop_source source;
  std::promise<void> runs;
  WorkerOptions options = rogue();
  options.log = [&](std::string_view text) {
    if (text.find("waiting") != std::string_view::npos) runs.set_value();
  };
  Worker worker(options);
  worker.load("/m.onnx", {{"act", "wait_for_stop"}});
  const Inputs in;
  const std::jthread stopper([&] {
    runs.get_future().wait();
    source.request_stop();
  });
  const Error error = error_of([&] { worker.predict(in.views, source.get_token()); });
  EXPECT_EQ(error.code(), Status::PredictFailed);
  EXPECT_EQ(error.context().at("cancelled"), "true");
  EXPECT_TRUE(worker.alive());
}

TEST(Worker, PassesPrintsOnAndIsNotBlockedByThem) {
  std::string printed;
  WorkerOptions options = rogue();
  options.log = [&](std::string_view text) { printed += text; };
  Worker worker(options);
  worker.load("/m.onnx", {{"act", "noisy"}});
  const Inputs in;
  EXPECT_EQ(floats(worker.predict(in.views).at(0)), in.expected());
  EXPECT_THAT(printed, HasSubstr("line 0 of a noisy engine"));
}

TEST(Worker, RunsTheCanaryWithoutAModel) {
  Worker worker(rogue());
  EXPECT_EQ(worker.canary({{"fma_steps", 5}}), Json({{"fma_steps", 5}}));
}

}  // namespace
}  // namespace inferometer::process
