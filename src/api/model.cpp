// SPDX-License-Identifier: Apache-2.0
#include "inferometer/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

#include "base/text.hpp"
#include "core/runner.hpp"

namespace inferometer {

namespace {

std::vector<std::string> names_of(std::span<const Port> ports) {
  std::vector<std::string> names;
  for (const Port& port : ports) names.push_back(port.name);
  return names;
}

[[noreturn]] void refuse_name(const std::string& given, std::span<const Port> ports) {
  const std::vector<std::string> names = names_of(ports);
  throw Error(
      Status::Invalid,
      fmt::format("the model has no input \"{}\"; its inputs: {}", printable(given), join(names)),
      {{"input", given}, {"nearest", nearest(given, names)}});
}

std::vector<View> in_port_order(std::span<const Port> ports,
                                const std::map<std::string, View>& given) {
  for (const auto& [name, view] : given) {
    const auto same = [&wanted = name](const Port& port) { return port.name == wanted; };
    if (std::none_of(ports.begin(), ports.end(), same)) refuse_name(name, ports);
  }
  std::vector<View> ordered;
  for (const Port& port : ports) {
    const auto found = given.find(port.name);
    if (found == given.end())
      throw Error(Status::Invalid, fmt::format("input \"{}\" is missing", port.name),
                  {{"input", port.name}});
    ordered.push_back(found->second);
  }
  return ordered;
}

}  // namespace

const Info& Model::info() const noexcept {
  return runner_->info();
}

Tensor Model::predict(const View& x) const {
  const Info& facts = info();
  if (facts.inputs.size() != 1 || facts.outputs.size() != 1)
    throw Error(Status::Invalid,
                fmt::format("predict(x) is for one input and one output; this model has inputs {} "
                            "and outputs {}",
                            join(names_of(facts.inputs)), join(names_of(facts.outputs))));
  return std::move(runner_->predict(std::span(&x, 1), {}).front());
}

std::vector<Tensor> Model::predict(std::span<const View> inputs) const {
  return runner_->predict(inputs, {});
}

std::map<std::string, Tensor> Model::predict(const std::map<std::string, View>& inputs) const {
  std::vector<Tensor> outputs = runner_->predict(in_port_order(info().inputs, inputs), {});
  std::map<std::string, Tensor> named;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    named.emplace(info().outputs[i].name, std::move(outputs[i]));
  return named;
}

void Model::predict_into(std::span<const View> inputs, std::span<const View> outputs) const {
  runner_->predict_into(inputs, outputs, {});
}

std::future<std::vector<Tensor>> Model::predict_async(std::vector<Tensor> inputs,
                                                      std::stop_token stop) const {
  std::promise<std::vector<Tensor>> promise;
  auto future = promise.get_future();
  // The thread owns runner and inputs: the model's handle may go before the future is ready. It
  // lets go of both first, so that nothing of the call lives on once the future is ready.
  auto body = [runner = runner_, held = std::move(inputs), token = std::move(stop),
               promise = std::move(promise)]() mutable {
    std::vector<Tensor> outputs;
    std::exception_ptr error;
    try {
      outputs = runner->predict(std::vector<View>(held.begin(), held.end()), token);
    } catch (...) {
      error = std::current_exception();
    }
    held.clear();
    runner.reset();
    if (error) {
      promise.set_exception(error);
    } else {
      promise.set_value(std::move(outputs));
    }
  };
  try {
    std::thread(std::move(body)).detach();
  } catch (const std::system_error& error) {
    throw Error(Status::PredictFailed,
                std::string("no thread for predict_async could be started: ") + error.what());
  }
  return future;
}

Tensor Model::allocate(const Port& port, std::int64_t rows) const {
  return runner_->allocate(port, rows);
}

}  // namespace inferometer
