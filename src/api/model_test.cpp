// SPDX-License-Identifier: Apache-2.0
// The forms of predict, over a model without an engine.
#include "inferometer/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>

#include "process/fake_runner.hpp"

namespace inferometer {
namespace {

using process::FakeRunner;
using testing::HasSubstr;

class ModelTest : public testing::Test {
 protected:
  std::vector<float> x_ = {1, 2, 3, 4};
  std::int64_t k_ = 10;
  View x() { return {x_.data(), {1, 4}}; }
  View k() { return {&k_, {}}; }

  std::shared_ptr<FakeRunner> runner_ = std::make_shared<FakeRunner>();
  Model model_{runner_};
};

void expect_times_ten(const Tensor& y) {
  ASSERT_EQ(y.shape(), (Shape{1, 4}));
  EXPECT_THAT(y.as<float>(), testing::ElementsAre(10, 20, 30, 40));
}

TEST_F(ModelTest, PredictsInOrderByNameAndInPlace) {
  const std::vector<View> ordered = {x(), k()};
  expect_times_ten(model_.predict(ordered).at(0));
  expect_times_ten(model_.predict({{"k", k()}, {"x", x()}}).at("y"));
  const Tensor y(DType::F32, {1, 4});
  model_.predict_into(ordered, std::vector<View>{y});
  expect_times_ten(y);
}

TEST_F(ModelTest, NamesAreChecked) {
  try {
    model_.predict({{"x", x()}, {"kk", k()}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    EXPECT_THAT(error.what(), HasSubstr("no input \"kk\""));
    EXPECT_EQ(error.context().at("nearest"), "k");
  }
  try {
    model_.predict({{"x", x()}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("input \"k\" is missing"));
  }
}

TEST_F(ModelTest, TheFormForOneTensorRefusesTwo) {
  try {
    model_.predict(x());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Status::Invalid);
    EXPECT_THAT(error.what(), HasSubstr("x, k"));
  }
}

// Memory of the test's that reads as -1 once nobody keeps it alive.
Tensor mortal(std::vector<float>& memory) {
  return {View(memory.data(), {1, 4}),
          std::shared_ptr<void>(memory.data(), [&](void*) { std::ranges::fill(memory, -1.0F); })};
}

TEST_F(ModelTest, AsynchronousInputsAndTheModelLiveUntilTheFutureIsReady) {
  std::latch handles_are_gone(1);
  runner_->before_run = [&](const std::stop_token&) { handles_are_gone.wait(); };
  Tensor k(DType::I64, {});
  k.as<std::int64_t>()[0] = k_;
  std::vector<Tensor> inputs = {mortal(x_), k};
  auto future = Model(std::move(runner_)).predict_async(std::move(inputs));
  model_ = Model(nullptr);
  inputs.clear();
  handles_are_gone.count_down();
  expect_times_ten(future.get().at(0));
}

TEST_F(ModelTest, AStopRequestComesBackInTheFuture) {
  std::stop_source stop;
  stop.request_stop();
  auto future = model_.predict_async({mortal(x_), Tensor(DType::I64, {})}, stop.get_token());
  try {
    future.get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.context().at("cancelled"), "true");
  }
}

}  // namespace
}  // namespace inferometer
