// SPDX-License-Identifier: Apache-2.0
// The null engine: takes any `.onnx`, computes nothing, and answers with outputs of the right
// shape. It has two uses. The harness is tested against what it is told to do (script.hpp), and it
// is the shortest complete plugin: docs/add-an-engine.md walks through this file.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/import.hpp"
#include "inferometer/engine_plugin.hpp"
#include "rows.hpp"
#include "script.hpp"

namespace inferometer::null {
namespace {

/// Everything that the contexts of a model share; constant after load, the run counter excepted.
struct Shared {
  graph::Signature signature;
  std::vector<std::string> symbols;  ///< the dimensions that bind has to learn from its inputs
  Script script;
  bool fills = true;
  plugin::ModelInfo info;
  std::vector<std::byte> memory;
  std::atomic<std::int64_t> runs{0};
  std::unique_ptr<Spinners> spinners;
};

Rows rows_of(const DLTensor& tensor, bool split) {
  const Shape shape = plugin::shape_of(tensor);
  const bool by_rows = split && shape.rank() > 0;
  const std::int64_t rows = by_rows ? shape[0] : 1;
  return {.data = static_cast<std::byte*>(tensor.data) + tensor.byte_offset,
          .dtype = plugin::dtype_of(tensor),
          .rows = rows,
          .row_elements = rows == 0 ? 0 : shape.elements() / rows};
}

class NullContext : public plugin::Context {
 public:
  explicit NullContext(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)),
        sizes_(shared_->symbols.size()),
        own_(shared_->signature.outputs.size()),
        previous_(shared_->signature.outputs.size()) {}

  void bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) override {
    learn_sizes(inputs);
    pairs_.clear();
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const Port& port = shared_->signature.outputs[o];
      if (outputs[o].data == nullptr) keep_own(port, own_[o], outputs[o]);
      pairs_.push_back(pair_for(o, port, inputs, outputs[o]));
    }
  }

  void run() override {
    const std::int64_t number = shared_->runs.fetch_add(1, std::memory_order_relaxed);
    if (shared_->script.quiet) return fill();
    spend(shared_->script, number, pairs_.empty() ? 1 : pairs_.front().out.rows);
    const Fault fault = fault_of(shared_->script, number);
    fill();
    for (std::size_t o = 0; o < pairs_.size(); ++o) {
      // Not otherwise: a copy takes time that no script asked for.
      if (shared_->script.fault == Fault::Stale) swap_stale(fault, pairs_[o].out, previous_[o]);
      damage(fault, pairs_[o].out);
    }
  }

 private:
  struct Pair {
    Rows in, out;
  };

  void fill() const {
    if (!shared_->fills) return;
    for (const auto& pair : pairs_) fill_rows(pair.in, pair.out);
  }

  // Which input an output depends on: its own number, so that swapped inputs show.
  Pair pair_for(std::size_t o, const Port& port, std::span<const DLTensor> inputs,
                const DLTensor& output) const {
    const bool split = port.batch_axis.has_value();
    if (inputs.empty()) return {.in = {}, .out = rows_of(output, split)};
    const std::size_t i = o % inputs.size();
    const bool input_split = split && shared_->signature.inputs[i].batch_axis.has_value();
    return {.in = rows_of(inputs[i], input_split), .out = rows_of(output, split)};
  }

  void learn_sizes(std::span<const DLTensor> inputs) {
    if (sizes_.empty()) return;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto& dims = shared_->signature.inputs[i].shape;
      for (std::size_t axis = 0; axis < dims.size(); ++axis)
        if (const auto at = symbol_index(dims[axis])) sizes_[*at] = inputs[i].shape[axis];
    }
  }

  std::optional<std::size_t> symbol_index(const Dim& dim) const {
    if (dim.size >= 0) return std::nullopt;
    const auto& symbols = shared_->symbols;
    const auto found = std::find(symbols.begin(), symbols.end(), dim.symbol);
    if (found == symbols.end()) return std::nullopt;
    return static_cast<std::size_t>(found - symbols.begin());
  }

  // bind already knows the shape here; an engine that learns it from the data does this in run.
  void keep_own(const Port& port, std::vector<std::byte>& memory, DLTensor& output) const {
    output.ndim = static_cast<std::int32_t>(port.shape.size());
    for (std::size_t axis = 0; axis < port.shape.size(); ++axis) {
      const auto at = symbol_index(port.shape[axis]);
      output.shape[axis] = at ? sizes_[*at] : port.shape[axis].size;
    }
    memory.resize(plugin::size_bytes(output));
    output.data = memory.data();
  }

  // `previous` keeps the healthy output of the last run.
  static void swap_stale(Fault fault, const Rows& out, std::vector<std::byte>& previous) {
    const auto bytes = static_cast<std::size_t>(out.rows) * out.row_bytes();
    std::vector<std::byte> healthy(out.data, out.data + bytes);
    if (fault == Fault::Stale) {
      previous.resize(bytes);
      std::copy(previous.begin(), previous.end(), out.data);
    }
    previous = std::move(healthy);
  }

  static void damage(Fault fault, const Rows& out) {
    const auto bytes = static_cast<std::size_t>(out.rows) * out.row_bytes();
    if (fault == Fault::Wrong) make_wrong(out);
    if (fault == Fault::Nan) make_nan(out);
    if (fault == Fault::Swapped) swap_first_rows(out);
    if (fault == Fault::Lost && out.rows > 0)
      std::fill_n(out.data + bytes - out.row_bytes(), out.row_bytes(), std::byte{0});
  }

  std::shared_ptr<Shared> shared_;
  std::vector<std::int64_t> sizes_;          ///< by symbol
  std::vector<std::vector<std::byte>> own_;  ///< outputs that stay ours
  std::vector<std::vector<std::byte>> previous_;
  std::vector<Pair> pairs_;
};

class NullModel : public plugin::LoadedModel {
 public:
  explicit NullModel(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  plugin::ModelInfo info() const override { return shared_->info; }
  std::unique_ptr<plugin::Context> open() override {
    return std::make_unique<NullContext>(shared_);
  }

 private:
  std::shared_ptr<Shared> shared_;
};

// Output shapes must follow from the input shapes alone: nothing is computed that could tell.
std::vector<std::string> symbols_of(const graph::Signature& signature) {
  std::vector<std::string> symbols;
  for (const auto& port : signature.inputs)
    for (const auto& dim : port.shape)
      if (dim.size < 0 && !dim.symbol.empty()) symbols.push_back(dim.symbol);
  for (const auto& port : signature.outputs)
    for (const auto& dim : port.shape)
      if (dim.size < 0 && std::find(symbols.begin(), symbols.end(), dim.symbol) == symbols.end())
        throw Error(
            Status::Unsupported,
            fmt::format("the shape of output {} doesn't follow from the input shapes; "
                        "name its axes in the file as those of the inputs, or fix dimensions with "
                        "dim.<symbol>",
                        port.name),
            {{"port", port.name}});
  return symbols;
}

plugin::ModelInfo describe(const graph::Signature& signature, bool dynamic_batch) {
  plugin::ModelInfo info{.inputs = plugin::port_infos(signature.inputs),
                         .outputs = plugin::port_infos(signature.outputs),
                         .dynamic_batch = dynamic_batch};
  for (const char* param : {"threads", "streams"})
    info.proof[param] = "runs on the calling thread and starts none";
  info.proof["precision"] = "copies elements as they are, no other is taken";
  info.proof["device"] = "knows no other";
  info.effective = {
      {"threads", "1"}, {"streams", "as opened"}, {"precision", "fp32"}, {"device", "cpu"}};
  return info;
}

class NullEngine : public plugin::Engine {
 public:
  plugin::Probe probe(const std::filesystem::path& library) override {
    plugin::refuse_library("null", library);
    return {
        .version = "1", .library = {}, .devices = {"cpu"}, .formats = {".onnx"}, .synthetic = true};
  }

  std::vector<ParamSpec> params() const override { return script_params(); }

  std::optional<std::vector<plugin::Refusal>> accepts(const plugin::LoadRequest&) override {
    return std::vector<plugin::Refusal>{};
  }

  std::unique_ptr<plugin::LoadedModel> load(const plugin::LoadRequest& request) override {
    plugin::require_one_of(request, "null", "device", {"cpu"});
    plugin::require_one_of(request, "null", "precision", {"fp32"});
    auto shared = std::make_shared<Shared>();
    auto model = plugin::import_model(request);
    shared->signature = std::move(model.signature);
    shared->symbols = symbols_of(shared->signature);
    shared->script = script_from(request);
    shared->fills = request.text("fill") == "rows";
    shared->info = describe(shared->signature, model.dynamic_batch && !request.flag("fixed_batch"));
    shared->memory = act_load(request);
    shared->spinners = std::make_unique<Spinners>(request.integer("spin_threads"));
    return std::make_unique<NullModel>(std::move(shared));
  }
};

}  // namespace
}  // namespace inferometer::null

INFEROMETER_EXPORT_ENGINE(inferometer::null::NullEngine, "null")
