// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "base/json.hpp"
#include "base/text.hpp"
#include "live.hpp"

namespace inferometer::reference {
namespace {

constexpr std::size_t kPlansKept = 16;

struct Shared {
  Shared(graph::Graph graph, std::shared_ptr<const void> bytes)
      : memory(std::move(bytes)), plans(std::move(graph)) {}

  std::shared_ptr<const void> memory;
  Plans plans;
  graph::Signature signature;
  plugin::ModelInfo info;
  std::shared_ptr<const Plan> first_plan;  ///< for full batches; null while dimensions are open
  std::mutex mutex;
  std::vector<std::unique_ptr<Pool>> pools;  ///< not yet taken by a context
  std::size_t threads = 1;                   ///< of a pool
};

/// Pools are made by load, on the thread whose affinity is the model's; a context gives its own
/// back when it ends.
class PoolLease {
 public:
  explicit PoolLease(Shared& shared) : shared_(shared) {
    const std::lock_guard lock(shared_.mutex);
    if (shared_.pools.empty()) {
      pool_ = std::make_unique<Pool>(shared_.threads);
      return;
    }
    pool_ = std::move(shared_.pools.back());
    shared_.pools.pop_back();
  }
  ~PoolLease() {
    const std::lock_guard lock(shared_.mutex);
    shared_.pools.push_back(std::move(pool_));
  }
  PoolLease(const PoolLease&) = delete;
  PoolLease& operator=(const PoolLease&) = delete;

  Pool& pool() { return *pool_; }

 private:
  Shared& shared_;
  std::unique_ptr<Pool> pool_;
};

View view_of(const DLTensor& tensor) {
  auto* data = static_cast<std::byte*>(tensor.data);
  if (data != nullptr) data += tensor.byte_offset;
  return View(static_cast<void*>(data), plugin::dtype_of(tensor), plugin::shape_of(tensor));
}

void check_aligned(const View& view, const Port& port) {
  if (reinterpret_cast<std::uintptr_t>(view.data) % size_bytes(view.dtype) == 0) return;
  throw Error(Status::Invalid,
              fmt::format("the memory of {} is not aligned to {} bytes, the size of {}", port.name,
                          size_bytes(view.dtype), to_string(view.dtype)),
              {{"port", port.name}});
}

class ReferenceContext : public plugin::Context {
 public:
  explicit ReferenceContext(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)), lease_(*shared_) {}

  void bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) override {
    take_inputs(inputs);
    take_outputs(outputs);
  }

  void run() override {
    if (plan_->live) return run_by_node();
    run_plan(*plan_, inputs_, outputs_, arena_, lease_.pool(), multipliers().back(), step_ns_);
  }

  std::vector<plugin::ProfileRow> profile() override {
    std::vector<plugin::ProfileRow> rows;
    for (std::size_t i = 0; i < step_ns_.size(); ++i)
      rows.push_back({.node = plan_->steps[i].node,
                      .kernel = plan_->steps[i].op,
                      .precision = "fp64",
                      .ns = step_ns_[i]});
    return rows;
  }

 private:
  void take_inputs(std::span<const DLTensor> inputs) {
    inputs_.clear();
    shapes_.clear();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs_.push_back(view_of(inputs[i]));
      check_aligned(inputs_.back(), shared_->signature.inputs[i]);
      shapes_.push_back(inputs_.back().shape);
    }
    if (plan_ && shapes_ == planned_) return;
    plan_ = shared_->plans.get(shapes_);
    planned_ = shapes_;
    step_ns_.assign(plan_->steps.size(), 0);
  }

  void take_outputs(std::span<DLTensor> outputs) {
    outputs_.clear();
    own_.resize(outputs.size());
    bound_ = outputs;
    stays_ours_.clear();
    for (const auto& output : outputs) stays_ours_.push_back(output.data == nullptr);
    if (plan_->live) return;  // their shapes are known when it has run
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const View& planned = plan_->outputs[i].view;
      if (outputs[i].data == nullptr) keep_own(planned, own_[i], outputs[i]);
      outputs_.push_back(view_of(outputs[i]));
      check_output(planned, outputs_.back(), shared_->signature.outputs[i]);
    }
  }

  void run_by_node() {
    auto results = run_live(*plan_->live, inputs_, lease_.pool(), multipliers().back());
    for (std::size_t i = 0; i < results.size(); ++i) {
      own_[i] = std::move(results[i]);
      if (stays_ours_[i]) {
        hand_over(own_[i], bound_[i]);
        continue;
      }
      const View to = view_of(bound_[i]);
      check_output(own_[i].view(), to, shared_->signature.outputs[i]);
      if (to.size_bytes() > 0) std::memcpy(to.data, own_[i].data(), to.size_bytes());
    }
  }

  static void hand_over(const Tensor& own, DLTensor& output) {
    output.data = own.data();
    output.byte_offset = 0;
    output.ndim = static_cast<std::int32_t>(own.shape().rank());
    std::copy(own.shape().begin(), own.shape().end(), output.shape);
  }

  static void keep_own(const View& planned, Tensor& own, DLTensor& output) {
    if (!own.data() || own.shape() != planned.shape) own = Tensor(planned.dtype, planned.shape);
    hand_over(own, output);
  }

  static void check_output(const View& planned, const View& given, const Port& port) {
    check_aligned(given, port);
    if (given.shape == planned.shape && given.dtype == planned.dtype) return;
    throw Error(
        Status::Invalid,
        fmt::format("output {} is {} {}, given {} {}", port.name, to_string(planned.dtype),
                    to_string(planned.shape), to_string(given.dtype), to_string(given.shape)),
        {{"port", port.name}});
  }

  std::shared_ptr<Shared> shared_;
  PoolLease lease_;
  std::shared_ptr<const Plan> plan_;
  std::vector<Shape> shapes_, planned_;
  std::vector<View> inputs_, outputs_;
  std::vector<Tensor> own_;
  std::span<DLTensor> bound_;
  std::vector<bool> stays_ours_;  ///< outputs that came without memory
  std::vector<std::int64_t> step_ns_;
  Arena arena_;
};

class ReferenceModel : public plugin::LoadedModel {
 public:
  explicit ReferenceModel(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  plugin::ModelInfo info() const override { return shared_->info; }

  std::unique_ptr<plugin::Context> open() override {
    return std::make_unique<ReferenceContext>(shared_);
  }

  std::string explain() const override {
    Json json{{"instruction_set", multipliers().back().name},
              {"threads_per_context", shared_->threads}};
    if (shared_->first_plan) {
      json["steps"] = shared_->first_plan->steps.size();
      json["arena_bytes"] = shared_->first_plan->arena_bytes;
    }
    return json.dump();
  }

 private:
  std::shared_ptr<Shared> shared_;
};

void refuse_unknown_operators(const graph::Graph& graph) {
  const auto refused = refusals(graph);
  if (refused.empty()) return;
  const auto& first = refused.front();
  throw Error(
      Status::Unsupported,
      fmt::format("operator {} (node {}): {}{}", first.op, first.node, first.reason,
                  refused.size() > 1 ? fmt::format(", and {} nodes more", refused.size() - 1) : ""),
      {{"operator", first.op}, {"node", first.node}});
}

/// The shapes of a full batch; empty when a dimension other than the batch is still open.
std::vector<Shape> full_shapes(const graph::Signature& signature, std::int64_t batch_size) {
  std::vector<Shape> shapes;
  for (const auto& port : signature.inputs) {
    std::vector<std::int64_t> dims;
    for (const auto& dim : port.shape) {
      const bool batch =
          dim.size < 0 && !dim.symbol.empty() && dim.symbol == signature.batch_symbol;
      if (dim.size < 0 && !batch) return {};
      dims.push_back(batch ? batch_size : dim.size);
    }
    shapes.emplace_back(dims);
  }
  return shapes;
}

std::int64_t since(std::chrono::steady_clock::time_point start) {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
}

void make_pools(Shared& shared, const plugin::LoadRequest& request) {
  const std::int64_t streams = std::max<std::int64_t>(request.integer("streams"), 1);
  const std::int64_t each = std::max<std::int64_t>(request.integer("threads") / streams, 1);
  shared.threads = static_cast<std::size_t>(each);
  for (std::int64_t i = 0; i < streams; ++i)
    shared.pools.push_back(std::make_unique<Pool>(shared.threads));
  shared.info.effective["threads"] = std::to_string(each * streams);
  shared.info.proof["threads"] =
      fmt::format("{} contexts with a pool of {} threads, the caller counted", streams, each);
  shared.info.effective["streams"] = std::to_string(streams);
  shared.info.proof["streams"] = "one pool of threads each";
  shared.info.effective["precision"] = "fp32";
  shared.info.proof["precision"] = "stored as fp32, accumulated in double";
  shared.info.effective["device"] = "cpu";
  shared.info.proof["device"] = "knows no other";
}

}  // namespace

std::shared_ptr<const Plan> Plans::get(std::span<const Shape> shapes) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, plan] : kept_)
    if (std::equal(key.begin(), key.end(), shapes.begin(), shapes.end())) return plan;
  auto plan = make_plan(graph_, shapes);
  if (kept_.size() == kPlansKept) kept_.erase(kept_.begin());
  kept_.emplace_back(std::vector<Shape>(shapes.begin(), shapes.end()), plan);
  return plan;
}

namespace {

void add_refusals(const graph::Graph& graph, std::vector<plugin::Refusal>& found) {
  for (const auto& node : graph.nodes) {
    for (const auto& [name, attribute] : node.attributes)
      if (const auto* body = std::get_if<std::shared_ptr<graph::Graph>>(&attribute))
        add_refusals(**body, found);
    if (node.domain.empty() &&
        (node.op == "If" || node.op == "Loop" || kernels().contains(node.op)))
      continue;
    const auto op = node.domain.empty() ? node.op : node.domain + "." + node.op;
    found.push_back({.node = node.name, .op = op, .reason = "the reference has no kernel for it"});
  }
}

}  // namespace

std::vector<plugin::Refusal> refusals(const graph::Graph& graph) {
  std::vector<plugin::Refusal> found;
  add_refusals(graph, found);
  return found;
}

std::unique_ptr<plugin::LoadedModel> load_model(const plugin::LoadRequest& request) {
  plugin::require_one_of(request, "reference", "device", {"cpu"});
  plugin::require_one_of(request, "reference", "precision", {"fp32"});
  auto start = std::chrono::steady_clock::now();
  auto imported = plugin::import_model(request);
  const auto read_ns = since(start);
  start = std::chrono::steady_clock::now();
  graph::fold_constants(imported.graph);
  graph::remove_dead(imported.graph);
  refuse_unknown_operators(imported.graph);
  auto shared = std::make_shared<Shared>(std::move(imported.graph), imported.memory);
  shared->signature = std::move(imported.signature);
  const auto shapes = full_shapes(shared->signature, request.integer("batch_size"));
  if (shapes.size() == shared->signature.inputs.size())
    shared->first_plan = shared->plans.get(shapes);
  shared->info.inputs = plugin::port_infos(shared->signature.inputs);
  shared->info.outputs = plugin::port_infos(shared->signature.outputs);
  shared->info.dynamic_batch = imported.dynamic_batch;
  make_pools(*shared, request);
  shared->info.phases_ns = {{"read", read_ns}, {"compile", since(start)}};
  return std::make_unique<ReferenceModel>(std::move(shared));
}

}  // namespace inferometer::reference
