// SPDX-License-Identifier: Apache-2.0
// Cutting rows into batches and keeping `in_flight` of them around `streams` contexts.
//
// Rows are handed to the engine where they lie and written where they belong: a batch is a pointer
// and a number of rows. Only a ragged last batch of an engine that takes no fewer rows is copied:
// padded on the way in, cut on the way out. With in_flight = 1 everything happens on the caller's
// thread; else the caller prepares batches while `streams` runner threads compute them.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/wall.hpp"
#include "inferometer/model.hpp"

namespace inferometer::core {

struct PipelineOptions {
  std::int64_t batch_size = 1;
  std::int64_t streams = 1;
  std::int64_t in_flight = 1;
  bool dynamic_batch = false;
  std::vector<int> cpus;     ///< affinity of the runner threads
  bool bind_caller = false;  ///< and of a thread that computes in its own call, meanwhile
};

/// Thread-safe.
class Pipeline {
 public:
  Pipeline(const WallModel& model, std::span<const Port> inputs, std::span<const Port> outputs,
           PipelineOptions options);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Checked views in, `rows` rows; returns when all outputs are written. The first error of a
  /// batch is thrown after the batches under way have ended. A stop request is seen between
  /// batches.
  void predict(std::span<const View> inputs, std::span<const View> outputs, std::int64_t rows,
               const std::stop_token& stop);

  /// For models whose output shapes depend on the data: outputs with null data are taken from the
  /// engine and copied; those of several batches are joined along the batch axis. Throws
  /// Error{Unsupported} when there are several and a port has no batch axis, or when the other axes
  /// differ between batches.
  std::vector<Tensor> predict_unshaped(std::span<const View> inputs, std::span<const View> outputs,
                                       std::int64_t rows, const std::stop_token& stop);

  std::string profile();

 private:
  struct Job;
  struct Batch;
  class Lease;

  bool is_padded(std::int64_t rows) const {
    return rows < options_.batch_size && !options_.dynamic_batch;
  }
  Batch prepare_inputs(Job& job, std::int64_t first, std::int64_t rows) const;
  Batch prepare(Job& job, std::int64_t first) const;
  void run(Batch& batch, WallContext& context) const;
  void run_inline(Job& job);
  void run_queued(Job& job);
  void serve(const std::stop_token& stop);
  void require_one_batch_or_rows(std::int64_t rows) const;

  std::span<const Port> inputs_, outputs_;
  PipelineOptions options_;

  std::mutex contexts_mutex_;
  std::condition_variable context_free_;
  std::vector<std::unique_ptr<WallContext>> contexts_;
  std::vector<WallContext*> free_contexts_;
  WallContext* last_used_ = nullptr;

  std::mutex queue_mutex_;
  std::condition_variable_any queue_filled_;
  std::deque<Batch*> queue_;
  std::vector<std::jthread> runners_;  // last: they use everything above
};

}  // namespace inferometer::core
