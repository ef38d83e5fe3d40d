// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "inferometer/error.hpp"
#include "inferometer/export.hpp"
#include "inferometer/params.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer {

/// One axis of a port: a size, or a symbol ("N", "seq") with size -1 while it is not fixed.
struct Dim {
  std::int64_t size = -1;
  std::string symbol;
  bool operator==(const Dim&) const = default;
};

/// A named input or output of a model.
struct Port {
  std::string name;
  DType dtype = DType::F32;
  std::vector<Dim> shape;
  std::optional<int>
      batch_axis;  ///< the axis along which rows are independent samples; none: passed whole
};

/// What is known of a loaded model. All durations in nanoseconds.
struct Info {
  std::string engine;
  std::string engine_choice;  ///< why this engine (engine=auto), or "asked for"
  std::string engine_version;
  std::string library;       ///< the engine's library file; empty when it has none
  std::string library_hash;  ///< XXH3-128 of that file, hex
  std::string model_path;
  std::string model_hash;  ///< XXH3-128 over the model and its external data, hex
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  Params requested;                              ///< as given, defaults filled in
  std::map<std::string, std::string> effective;  ///< read back from the engine or proved
  std::map<std::string, std::string> proof;      ///< how each effective value is known
  std::map<std::string, std::int64_t>
      load_phases_ns;  ///< read, convert, compile, allocate: those the engine can tell apart
  bool dynamic_batch = false;  ///< a ragged last batch runs at its true size
  bool synthetic = false;      ///< outputs are made up (the null engine): there is no right answer
  bool from_artifact = false;  ///< compiled form came from the artifact cache
  std::vector<std::string> notes;  ///< what the caller should know, one sentence each
};

namespace core {
class Runner;
}

/// A loaded network: a cheap handle, copies share the network. Every member may be called from any
/// number of threads; calls beyond `streams` wait for a context.
///
/// Rows: if a port has a batch axis, a tensor may have any number of rows >= 1 along it; rows are
/// cut into batches of `batch_size` without copying. Throws Error: `invalid` for a wrong number,
/// name, dtype or shape of tensors (expected and given are named), `predict_failed` and the
/// worker's statuses for the rest.
class INFEROMETER_API Model {
 public:
  explicit Model(std::shared_ptr<core::Runner> runner) : runner_(std::move(runner)) {}

  const Info& info() const noexcept;

  /// One input, one output.
  Tensor predict(const View& x) const;
  /// Inputs and outputs in port order.
  std::vector<Tensor> predict(std::span<const View> inputs) const;
  /// By name; every input must be given, every output is returned.
  std::map<std::string, Tensor> predict(const std::map<std::string, View>& inputs) const;
  /// Writes into the caller's outputs (port order); allocates nothing with in_flight = 1.
  void predict_into(std::span<const View> inputs, std::span<const View> outputs) const;
  /// Inputs are kept alive until the future is ready, and not longer. A stop request before the
  /// last batch starts gives Error{PredictFailed} with context {"cancelled": "true"} in the future.
  std::future<std::vector<Tensor>> predict_async(std::vector<Tensor> inputs,
                                                 std::stop_token stop = {}) const;
  /// Uninitialised memory for `rows` rows of a port that the engine (or worker) need not copy.
  Tensor allocate(const Port& port, std::int64_t rows) const;

 private:
  std::shared_ptr<core::Runner> runner_;
};

/// Loads a model file for one engine. docs/params.md has the params. Thread-safe.
/// Errors: `invalid` (file or param; the nearest name is given), `unsupported`, `unavailable`,
/// `load_failed`.
INFEROMETER_API Model load(const std::filesystem::path& path, const Params& params = {});

}  // namespace inferometer
