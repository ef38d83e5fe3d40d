// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>

#include "base/cpu.hpp"
#include "core/ports.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

constexpr std::size_t kInlinePorts = 8;

// Views of one batch without allocation for all but very wide models.
class Views {
 public:
  void resize(std::size_t count) {
    count_ = count;
    if (count > kInlinePorts) many_.resize(count);
  }
  View& operator[](std::size_t i) { return data()[i]; }
  std::span<const View> span() const {
    return {count_ > kInlinePorts ? many_.data() : few_.data(), count_};
  }

 private:
  View* data() { return count_ > kInlinePorts ? many_.data() : few_.data(); }
  std::array<View, kInlinePorts> few_;
  std::vector<View> many_;
  std::size_t count_ = 0;
};

[[noreturn]] void cancelled() {
  throw Error(Status::PredictFailed, "predict was cancelled before its last batch",
              {{"cancelled", "true"}});
}

// Fills rows [rows, batch) with copies of the last real row: values that the model is used to,
// unlike zeros.
void pad(const View& target, const View& source, std::int64_t batch_size) {
  const std::int64_t rows = source.shape[0];
  const std::size_t bytes = source.size_bytes();
  const std::size_t row_bytes = bytes / static_cast<std::size_t>(rows);
  auto* to = static_cast<std::byte*>(target.data);
  std::memcpy(to, source.data, bytes);
  for (std::int64_t row = rows; row < batch_size; ++row) {
    std::memcpy(to + static_cast<std::size_t>(row) * row_bytes, to + bytes - row_bytes, row_bytes);
  }
}

View with_rows(View view, std::int64_t rows) {
  view.shape[0] = rows;
  return view;
}

View without_padding(const View& written, const Port& port, std::int64_t rows) {
  if (written.shape.rank() == 0 || written.shape[0] < rows) {
    throw Error(Status::PredictFailed, "output \"" + port.name + "\" came back as " +
                                           to_string(written.shape) + " from a padded batch");
  }
  return with_rows(written, rows);
}

Tensor copy_of(const View& view) {
  Tensor copy(view.dtype, view.shape);
  std::memcpy(copy.data(), view.data, view.size_bytes());
  return copy;
}

// Along axis 0.
Tensor joined(const std::vector<Tensor>& parts) {
  if (parts.size() == 1) return parts.front();
  Shape shape = parts.front().shape();
  shape[0] = 0;
  for (const Tensor& part : parts) {
    Shape rest = part.shape();
    const std::int64_t rows = rest[0];
    rest[0] = shape[0];
    if (rest.rank() == 0 || !(rest == shape)) {
      throw Error(
          Status::Unsupported,
          "the outputs of two batches can't be joined: " + to_string(parts.front().shape()) +
              " and " + to_string(part.shape()) + "; load with a batch_size that takes all rows");
    }
    shape[0] += rows;
  }
  Tensor whole(parts.front().dtype(), shape);
  auto* to = static_cast<std::byte*>(whole.data());
  for (const Tensor& part : parts) {
    std::memcpy(to, part.data(), part.view().size_bytes());
    to += part.view().size_bytes();
  }
  return whole;
}

}  // namespace

// One predict: what its batches share.
struct Pipeline::Job {
  std::span<const View> inputs, outputs;
  std::int64_t rows;
  const std::stop_token& stop;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Batch*> free;  // of the `in_flight` slots
  std::exception_ptr error;

  // nullptr: a batch has failed, no more are wanted.
  Batch* take_free() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !free.empty(); });
    if (error) return nullptr;
    Batch* slot = free.back();
    free.pop_back();
    return slot;
  }

  // Notifies under the lock: the caller destroys the job as soon as it sees the last batch end.
  void give_back(Batch* slot, std::exception_ptr failure) {
    const std::lock_guard lock(mutex);
    if (failure && !error) error = std::move(failure);
    free.push_back(slot);
    changed.notify_one();
  }

  void wait_for_all(std::size_t slots) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return free.size() == slots; });
  }
};

struct Pipeline::Batch {
  Job* job = nullptr;
  Views inputs, outputs;
  std::vector<Tensor> staging;                   // of a padded batch
  std::vector<std::pair<View, View>> copy_back;  // staged output rows -> where they belong
};

// A context for the life of this object.
class Pipeline::Lease {
 public:
  explicit Lease(Pipeline& pipeline) : pipeline_(pipeline) {
    std::unique_lock lock(pipeline_.contexts_mutex_);
    pipeline_.context_free_.wait(lock, [&] { return !pipeline_.free_contexts_.empty(); });
    context_ = pipeline_.free_contexts_.back();
    pipeline_.free_contexts_.pop_back();
  }
  // The one that ran last (or the first, before any run).
  static Lease last_used(Pipeline& pipeline) { return Lease(pipeline, LastUsed{}); }
  ~Lease() {
    {
      const std::lock_guard lock(pipeline_.contexts_mutex_);
      pipeline_.free_contexts_.push_back(context_);
      pipeline_.last_used_ = context_;
    }
    pipeline_.context_free_.notify_all();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  WallContext& operator*() const { return *context_; }

 private:
  struct LastUsed {};
  Lease(Pipeline& pipeline, LastUsed) : pipeline_(pipeline) {
    std::unique_lock lock(pipeline_.contexts_mutex_);
    auto& free = pipeline_.free_contexts_;
    const auto wanted = [&] {
      return std::find(free.begin(), free.end(),
                       pipeline_.last_used_ != nullptr ? pipeline_.last_used_
                                                       : pipeline_.contexts_.front().get());
    };
    pipeline_.context_free_.wait(lock, [&] { return wanted() != free.end(); });
    context_ = *wanted();
    free.erase(wanted());
  }

  Pipeline& pipeline_;
  WallContext* context_;
};

Pipeline::Pipeline(const WallModel& model, std::span<const Port> inputs,
                   std::span<const Port> outputs, PipelineOptions options)
    : inputs_(inputs), outputs_(outputs), options_(std::move(options)) {
  for (std::int64_t i = 0; i < options_.streams; ++i) {
    contexts_.push_back(model.open());
    free_contexts_.push_back(contexts_.back().get());
  }
  for (std::int64_t i = 0; options_.in_flight > 1 && i < options_.streams; ++i) {
    runners_.emplace_back([this](const std::stop_token& stop) {
      set_affinity(options_.cpus);
      serve(stop);
    });
  }
}

Pipeline::~Pipeline() {
  for (std::jthread& runner : runners_) runner.request_stop();
  runners_.clear();
}

void Pipeline::predict(std::span<const View> inputs, std::span<const View> outputs,
                       std::int64_t rows, const std::stop_token& stop) {
  Job job{.inputs = inputs, .outputs = outputs, .rows = rows, .stop = stop};
  // A single batch gains nothing from another thread.
  if (runners_.empty() || rows <= options_.batch_size) {
    run_inline(job);
  } else {
    run_queued(job);
  }
}

Pipeline::Batch Pipeline::prepare_inputs(Job& job, std::int64_t first, std::int64_t rows) const {
  Batch batch;
  batch.job = &job;
  batch.inputs.resize(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    View part = rows_of(inputs_[i], job.inputs[i], first, rows);
    if (is_padded(rows) && inputs_[i].batch_axis) {
      batch.staging.emplace_back(part.dtype, with_rows(part, options_.batch_size).shape);
      pad(batch.staging.back(), part, options_.batch_size);
      part = batch.staging.back();
    }
    batch.inputs[i] = part;
  }
  return batch;
}

Pipeline::Batch Pipeline::prepare(Job& job, std::int64_t first) const {
  const std::int64_t rows = std::min(options_.batch_size, job.rows - first);
  Batch batch = prepare_inputs(job, first, rows);
  batch.outputs.resize(outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    View part = rows_of(outputs_[i], job.outputs[i], first, rows);
    if (is_padded(rows) && outputs_[i].batch_axis) {
      batch.staging.emplace_back(part.dtype, with_rows(part, options_.batch_size).shape);
      batch.copy_back.emplace_back(batch.staging.back(), part);
      part = batch.staging.back();
    }
    batch.outputs[i] = part;
  }
  return batch;
}

void Pipeline::run(Batch& batch, WallContext& context) const {
  context.bind(batch.inputs.span(), batch.outputs.span());
  context.run();
  for (const auto& [staged, target] : batch.copy_back)
    std::memcpy(target.data, staged.data, target.size_bytes());
}

void Pipeline::run_inline(Job& job) {
  std::optional<AffinityScope> bound;
  if (options_.bind_caller) bound.emplace(options_.cpus);
  const Lease context(*this);
  for (std::int64_t first = 0; first < job.rows; first += options_.batch_size) {
    if (job.stop.stop_requested()) cancelled();
    Batch batch = prepare(job, first);
    run(batch, *context);
  }
}

void Pipeline::run_queued(Job& job) {
  std::vector<Batch> slots(static_cast<std::size_t>(options_.in_flight));
  for (Batch& slot : slots) job.free.push_back(&slot);
  for (std::int64_t first = 0; first < job.rows; first += options_.batch_size) {
    Batch* slot = job.take_free();
    if (slot == nullptr) break;
    try {
      if (job.stop.stop_requested()) cancelled();
      *slot = prepare(job, first);  // allocates when it pads
      const std::lock_guard lock(queue_mutex_);
      queue_.push_back(slot);
    } catch (...) {
      // Not out of here: runners still hold the other slots, and the job.
      job.give_back(slot, std::current_exception());
      break;
    }
    queue_filled_.notify_one();
  }
  job.wait_for_all(slots.size());
  if (job.error) std::rethrow_exception(job.error);
}

void Pipeline::serve(const std::stop_token& stop) {
  for (;;) {
    Batch* batch = nullptr;
    {
      std::unique_lock lock(queue_mutex_);
      if (!queue_filled_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
      batch = queue_.front();
      queue_.pop_front();
    }
    Job& job = *batch->job;
    std::exception_ptr error;
    try {
      const Lease context(*this);
      if (job.stop.stop_requested()) cancelled();  // it may have waited in the queue
      run(*batch, *context);
    } catch (...) {
      error = std::current_exception();
    }
    job.give_back(batch, error);
  }
}

void Pipeline::require_one_batch_or_rows(std::int64_t rows) const {
  const auto has_rows = [](const Port& port) { return port.batch_axis.has_value(); };
  if (rows == options_.batch_size || (rows < options_.batch_size && options_.dynamic_batch)) return;
  if (std::ranges::all_of(inputs_, has_rows) && std::ranges::all_of(outputs_, has_rows)) return;
  throw Error(Status::Unsupported,
              "an output's shape is known only after the run and a port has no batch axis, so rows "
              "can't be cut or padded: load with batch_size = " +
                  std::to_string(rows));
}

std::vector<Tensor> Pipeline::predict_unshaped(std::span<const View> inputs,
                                               std::span<const View> outputs, std::int64_t rows,
                                               const std::stop_token& stop) {
  require_one_batch_or_rows(rows);
  std::optional<AffinityScope> bound;
  if (options_.bind_caller) bound.emplace(options_.cpus);
  Job job{.inputs = inputs, .outputs = outputs, .rows = rows, .stop = stop};
  const Lease context(*this);
  std::vector<std::vector<Tensor>> parts(outputs.size());  // of every output, by batch
  for (std::int64_t first = 0; first < rows; first += options_.batch_size) {
    if (stop.stop_requested()) cancelled();
    const std::int64_t here = std::min(options_.batch_size, rows - first);
    const Batch batch = prepare_inputs(job, first, here);
    (*context).bind(batch.inputs.span(), outputs);
    (*context).run();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      View written = (*context).output(i);
      if (is_padded(here)) written = without_padding(written, outputs_[i], here);
      parts[i].push_back(copy_of(written));
    }
  }
  std::vector<Tensor> results;
  for (const std::vector<Tensor>& output : parts) results.push_back(joined(output));
  return results;
}

std::string Pipeline::profile() {
  return (*Lease::last_used(*this)).profile();
}

}  // namespace inferometer::core
