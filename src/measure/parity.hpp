// SPDX-License-Identifier: Apache-2.0
// Parity: is the answer right? Outputs against golden outputs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer::measure {

/// The output is a softmax over these axes [first, last) together. Softmax hides errors: its
/// logarithm is looked at instead. Over fewer than two classes it is compared as any output.
struct Softmax {
  int first = 0, last = 0;
};

struct ParityFigures {
  double rel_l2 = 0;         ///< |y - g| / |g|; infinite when g = 0 and y isn't, or y isn't finite
  double max_abs_ratio = 0;  ///< max |y - g| / max |g|
  double cosine = 1;
  std::optional<double> log_p_rel_l2;    ///< Softmax only
  std::optional<double> top1_agreement;  ///< over top1_rows; none when no row counts
  std::int64_t top1_rows = 0;
  std::int64_t nan = 0, inf = 0;  ///< of y, where the golden has none
  std::int64_t wrong = 0;         ///< integer and bool outputs: elements that differ
  double least_tolerance = 0;     ///< smallest t: |y - g| <= t * (max |g| + |g|) everywhere
  bool exact = false;             ///< an integer output: it must be equal
};

/// `y` against `golden`, same dtype (or two floating-point ones) and shape; rows along
/// `batch_axis` (none: one row) with classes along the rest. Accumulates in double. Throws
/// Error{Mismatch} naming both shapes or dtypes when they differ.
ParityFigures compare_outputs(const View& golden, const View& y, std::optional<int> batch_axis,
                              std::optional<Softmax> softmax = {});

/// The largest error that passes: fp32 1e-4, tf32 1e-3, fp16 1e-2, bf16 3e-2, int8 1e-1. Throws
/// Error{Invalid} for another word.
double gate_of(std::string_view precision);

/// What the gate looks at: log_p_rel_l2 for a softmax, else rel_l2.
double gated_error(const ParityFigures& figures) noexcept;
/// Nothing NaN, infinite or wrong, and gated_error <= gate.
bool passes(const ParityFigures& figures, double gate) noexcept;

/// Whether `figures` are further from passing than `other`.
bool is_worse(const ParityFigures& figures, const ParityFigures& other) noexcept;

/// The Field keys parity_*. What doesn't apply is left out.
Json to_json(const ParityFigures& figures);

}  // namespace inferometer::measure
