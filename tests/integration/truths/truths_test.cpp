// SPDX-License-Identifier: Apache-2.0
// What the null engine was told to do, and what the instrument says of it: whole cells in real
// workers. Nothing here depends on how fast the machine is; bench/known_truths has what does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "campaign/bench.hpp"
#include "graph/onnx.hpp"
#include "graph/zoo.hpp"
#include "measure/pool.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kBatch = 4;

class Truth : public testing::Test {
 protected:
  Truth() {
    graph::write_onnx(graph::zoo("tiny_mlp"), model_);
    expect_own_outputs();
  }

  // One outcome of null with these params, on top of a batch of four and one thread.
  Outcome run_null(const std::string& workload, Params params) {
    params.insert({"batch_size", kBatch});
    params.insert({"threads", 1});
    const RunOptions options{.model = model_.string(),
                             .engine = "null",
                             .params = std::move(params),
                             .workloads = {workload},
                             .rounds = 6,
                             .block_s = 0.001,
                             .expect = expected_};
    return run(options, *lab_, {}).outcomes.front();
  }

  ScratchFolder folder_{"inferometer-truths"};
  std::filesystem::path model_ = folder_.path() / "m.onnx";
  std::unique_ptr<Lab> lab_ = make_lab();
  Expected expected_;

 private:
  // Null makes its outputs up from their input rows: a run without faults says what is right.
  void expect_own_outputs() {
    const auto worker = lab_->worker({model_.string(), "null", "null", {}, ""});
    const auto info = worker->load().info;
    const auto pool = measure::pool_inputs(info.inputs, measure::kPoolRows, measure::kSeed);
    expected_.name = "null without faults";
    expected_.outputs = worker->predict(std::vector<View>(pool.begin(), pool.end()));
  }
};

TEST_F(Truth, WithoutFaultsTheAnswerIsRight) {
  const auto outcome = run_null("throughput", {});
  EXPECT_EQ(outcome.status, Status::Ok) << outcome.reason;
  EXPECT_EQ(outcome.values.at("parity_golden"), "null without faults");
  EXPECT_EQ(outcome.values.at("parity_rel_l2"), 0);
}

class WrongAnswer : public Truth, public testing::WithParamInterface<const char*> {};

TEST_P(WrongAnswer, IsAMismatchBeforeAnythingIsTimed) {
  const auto outcome = run_null("throughput", {{"fault", GetParam()}, {"fault_at", 2}});
  EXPECT_EQ(outcome.status, Status::Mismatch) << outcome.reason;
  EXPECT_EQ(outcome.stage, "parity");
  EXPECT_FALSE(outcome.values.contains("throughput_samples_per_s"));
}

INSTANTIATE_TEST_SUITE_P(Faults, WrongAnswer,
                         testing::Values("wrong", "nan", "swapped", "stale", "lost"),
                         [](const auto& test) { return std::string(test.param); });

struct Loss {
  const char* param;
  const char* fault;
  Status status;
};

class LostWorker : public Truth, public testing::WithParamInterface<Loss> {};

TEST_P(LostWorker, IsAnOutcomeOfItsOwn) {
  const auto& loss = GetParam();
  const auto outcome = run_null("throughput", {{loss.param, loss.fault}, {"fault_at", 9}});
  EXPECT_EQ(outcome.status, loss.status) << outcome.reason;
  EXPECT_EQ(outcome.stage, std::string(loss.param) == "fault" ? "predict" : "load");
  EXPECT_FALSE(outcome.reason.empty());
}

INSTANTIATE_TEST_SUITE_P(Faults, LostWorker,
                         testing::Values(Loss{"fault", "crash", Status::Crashed},
                                         Loss{"fault", "error", Status::PredictFailed},
                                         Loss{"fault", "out_of_memory", Status::OutOfMemory},
                                         Loss{"load_fault", "crash", Status::Crashed},
                                         Loss{"load_fault", "error", Status::LoadFailed},
                                         Loss{"load_fault", "out_of_memory", Status::OutOfMemory}),
                         [](const auto& test) {
                           return std::string(test.param.param) + "_" + test.param.fault;
                         });

TEST_F(Truth, AHangIsATimeout) {
  lab_ = make_lab(std::chrono::milliseconds(500));
  EXPECT_EQ(run_null("throughput", {{"fault", "hang"}, {"fault_at", 9}}).status, Status::Timeout);
  EXPECT_EQ(run_null("throughput", {{"load_fault", "hang"}}).status, Status::Timeout);
}

TEST_F(Truth, ExtraBusyThreadsAreMarked) {
  const Params busy = {{"spin_threads", 2}, {"times_us", "[2000]"}};
  const auto spinning = run_null("throughput", busy);
  EXPECT_EQ(spinning.status, Status::Ok) << spinning.reason;
  EXPECT_THAT(spinning.warnings, Contains(HasSubstr("3 tasks computed where 1 CPUs")));
}

// A sanitizer keeps freed memory for a while, and shadows all of it.
bool memory_is_the_allocators_own() {
#ifdef INFEROMETER_SANITIZED
  return true;
#else
  return false;
#endif
}

TEST_F(Truth, ALeakIsRecovered) {
  if (memory_is_the_allocators_own()) GTEST_SKIP() << "under a sanitizer";
  const auto leaking = run_null("memory", {{"leak_bytes", kMiB}});
  EXPECT_NEAR(leaking.values.at("memory_growth_bytes").get<double>(), kMiB, 0.1 * kMiB);
  EXPECT_THAT(leaking.warnings, Contains(HasSubstr("memory grows")));
  const auto tight = run_null("memory", {});
  EXPECT_LT(tight.values.at("memory_growth_bytes").get<double>(), 0.05 * kMiB);
  EXPECT_TRUE(tight.warnings.empty());
}

TEST_F(Truth, AnAllocationPeakIsRecovered) {
  if (memory_is_the_allocators_own()) GTEST_SKIP() << "under a sanitizer";
  const auto values = run_null("memory", {{"peak_bytes", 64 * kMiB}}).values;
  const auto bytes = [&](const char* key) { return values.at(key).get<std::int64_t>(); };
  EXPECT_NEAR(bytes("memory_run_peak_bytes"), bytes("memory_steady_bytes") + 64 * kMiB, 2 * kMiB);
  EXPECT_LT(bytes("memory_load_peak_bytes"), bytes("memory_model_bytes") + 2 * kMiB);
}

TEST_F(Truth, WhatAModelHoldsIsRecoveredAndGoesWithIt) {
  if (memory_is_the_allocators_own()) GTEST_SKIP() << "under a sanitizer";
  const auto values = run_null("memory", {{"load_bytes", 50 * kMiB}}).values;
  const auto bytes = [&](const char* key) { return values.at(key).get<std::int64_t>(); };
  EXPECT_NEAR(bytes("memory_model_bytes"), bytes("memory_library_bytes") + 50 * kMiB, 2 * kMiB);
  EXPECT_NEAR(bytes("memory_released_bytes"), bytes("memory_model_bytes") - 50 * kMiB, 2 * kMiB);
}

}  // namespace
}  // namespace inferometer::campaign
