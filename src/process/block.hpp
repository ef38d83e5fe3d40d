// SPDX-License-Identifier: Apache-2.0
// The timed loop, where the model is. There is one for all engines; open_loop.hpp is its sister.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/runner.hpp"
#include "process/protocol.hpp"
#include "process/worker.hpp"

namespace inferometer::process {

/// Wall and CPU time of this process.
struct Spent {
  std::int64_t wall_ns = 0, cpu_ns = 0;
  Spent operator+(const Spent& other) const {
    return {wall_ns + other.wall_ns, cpu_ns + other.cpu_ns};
  }
  Spent operator-(const Spent& other) const {
    return {wall_ns - other.wall_ns, cpu_ns - other.cpu_ns};
  }
};
Spent spent();
std::int64_t now_ns();  ///< CLOCK_MONOTONIC

/// One call of the model; without outputs it allocates them.
void compute(core::Runner& runner, std::span<const View> inputs, std::span<const View> outputs);

/// One batch of a model, computed again and again. in_flight = 1: each batch is one call and one
/// timing. Otherwise a call is handed several batches at once (the prepared rows repeated), so that
/// `streams` and `in_flight` have something to overlap. Owned by one thread at a time.
class BlockLoop {
 public:
  /// `inputs`: one batch, in port order. `outputs`: where its results go, or empty when their
  /// shapes depend on the data. All must outlive the loop, `runner` too. Throws Error{Invalid} for
  /// tensors that don't fit the ports.
  BlockLoop(core::Runner& runner, std::vector<View> inputs, std::vector<View> outputs,
            std::int64_t in_flight);

  /// After it, `outputs` hold the last batch.
  BlockReport run(std::int64_t batches, Poison poison);

 private:
  struct Pass {
    std::int64_t batches = 0;
    std::vector<Tensor> inputs, outputs;
    std::vector<View> input_views, output_views;
  };

  BlockReport run_each(std::int64_t batches, Poison poison);
  BlockReport run_together(std::int64_t batches, Poison poison);
  template <class Work>
  void untimed(Work&& work);
  Pass& pass_of(std::int64_t batches);
  std::int64_t batches_per_pass(std::int64_t batches) const;
  void keep_last(const Pass& pass);

  core::Runner& runner_;
  std::vector<View> inputs_, outputs_;
  std::int64_t in_flight_ = 1;
  std::int64_t rows_ = 1;
  std::optional<Pass> pass_;
  Spent untimed_;  ///< of the block that runs, beside its calls
};

}  // namespace inferometer::process
