// SPDX-License-Identifier: Apache-2.0
// What stands behind a Model: a network in this process, or one in a worker.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "inferometer/model.hpp"

namespace inferometer::core {

struct Plugin;

/// Thread-safe. Inputs and outputs are in port order.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual const Info& info() const noexcept = 0;
  /// Outputs are allocated here (or by the engine, when their shapes depend on the data).
  virtual std::vector<Tensor> predict(std::span<const View> inputs, std::stop_token stop) = 0;
  virtual void predict_into(std::span<const View> inputs, std::span<const View> outputs,
                            std::stop_token stop) = 0;
  virtual Tensor allocate(const Port& port, std::int64_t rows) = 0;
  /// JSON text: the engine's own view of the model, and its profile of the last run; "" = it can't
  /// tell.
  virtual std::string explain() = 0;
  virtual std::string profile() = 0;
};

/// Loads in this process, whatever `isolation` says. Errors as inferometer::load.
std::shared_ptr<Runner> load_local(const std::filesystem::path& path, const Params& params);
/// The same with these engines, in their order.
std::shared_ptr<Runner> load_among(const std::vector<Plugin>& engines,
                                   const std::filesystem::path& path, const Params& params);

}  // namespace inferometer::core
