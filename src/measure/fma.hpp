// SPDX-License-Identifier: Apache-2.0
// Loops of multiply-adds that stay in registers, one for every dtype and instruction set: what the
// canary runs, and what a CPU's peak is measured with.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "inferometer/tensor.hpp"

namespace inferometer::measure {

/// Chosen at run time, never by compiler flags.
struct FmaLoop {
  DType dtype;           ///< of the factors; 16-bit and 8-bit ones may accumulate in 32 bits
  std::string_view isa;  ///< "avx512_bf16"
  bool (*can_run)();     ///< whether CPU and kernel support it
  /// `steps` rounds of independent multiply-adds, enough of them to fill the pipelines. Only where
  /// can_run().
  void (*run)(std::int64_t steps);
  std::int64_t operations;  ///< of one step; a multiply-add counts as two
};

/// Of each dtype the widest first. Matrix units (AMX) have none.
std::span<const FmaLoop> fma_loops();

/// The first that can run; null: this CPU has no instruction for the dtype.
const FmaLoop* best_loop(DType dtype);

}  // namespace inferometer::measure
