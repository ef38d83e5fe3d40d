// SPDX-License-Identifier: Apache-2.0
// For tests: a model without an engine. Inputs "x" f32 [N,4] and "k" i64 [] (a scalar); outputs "y"
// f32 [N,4] = x * k (both [N,L] when asked for) and, when asked for, "found" i64 [?]: the places
// where x > 0, as many as there are.
#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <vector>

#include "core/runner.hpp"

namespace inferometer::process {

class FakeRunner : public core::Runner {
 public:
  enum class Outputs { Fixed, Symbolic, DataDependent };
  explicit FakeRunner(Outputs outputs = Outputs::Fixed, std::int64_t in_flight = 1);

  const Info& info() const noexcept override { return info_; }
  std::vector<Tensor> predict(std::span<const View> inputs, std::stop_token stop) override;
  void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                    std::stop_token stop) override;
  Tensor allocate(const Port& port, std::int64_t rows) override;
  std::string explain() override { return R"({"fake":true})"; }
  std::string profile() override { return ""; }

  std::function<void(std::stop_token)> before_run;
  std::atomic<int> calls{0};

 private:
  Info info_;
};

inline FakeRunner::FakeRunner(Outputs outputs, std::int64_t in_flight) {
  info_.engine = "fake";
  info_.inputs = {{"x", DType::F32, {{-1, "N"}, {4, ""}}, 0}, {"k", DType::I64, {}, {}}};
  info_.outputs = {{"y", DType::F32, {{-1, "N"}, {4, ""}}, 0}};
  if (outputs == Outputs::Symbolic)
    for (Port* port : {&info_.inputs[0], &info_.outputs[0]}) port->shape[1] = {-1, "L"};
  if (outputs == Outputs::DataDependent)
    info_.outputs.push_back({"found", DType::I64, {{-1, ""}}, {}});
  info_.requested = {{"in_flight", in_flight}, {"streams", in_flight}};
}

inline void FakeRunner::predict_into(std::span<const View> inputs, std::span<const View> outputs,
                                     std::stop_token stop) {
  ++calls;
  if (before_run) before_run(stop);
  if (stop.stop_requested()) throw Error(Status::PredictFailed, "stopped", {{"cancelled", "true"}});
  const auto x = inputs[0].as<const float>();
  const auto y = outputs[0].as<float>();
  const auto k = inputs[1].as<const std::int64_t>()[0];
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * static_cast<float>(k);
}

inline std::vector<Tensor> FakeRunner::predict(std::span<const View> inputs, std::stop_token stop) {
  std::vector<Tensor> outputs = {Tensor(DType::F32, inputs[0].shape)};
  predict_into(inputs, std::vector<View>{outputs[0]}, stop);
  if (info_.outputs.size() == 1) return outputs;
  std::vector<std::int64_t> found;
  const auto x = inputs[0].as<const float>();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] > 0) found.push_back(static_cast<std::int64_t>(i));
  outputs.emplace_back(DType::I64, Shape{static_cast<std::int64_t>(found.size())});
  std::copy(found.begin(), found.end(), outputs[1].as<std::int64_t>().begin());
  return outputs;
}

inline Tensor FakeRunner::allocate(const Port& port, std::int64_t rows) {
  return {port.dtype, Shape{rows, 4}};
}

}  // namespace inferometer::process
