// SPDX-License-Identifier: Apache-2.0
// Parity: is the answer right? Golden outputs in this order: the user's, the reference engine's,
// else nothing and the warning `unverified`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "campaign/lab.hpp"
#include "campaign/progress.hpp"
#include "inferometer/tensor.hpp"
#include "measure/outcome.hpp"

namespace inferometer::campaign {

/// The pool: a prime number of seeded rows; row i of a batch is pool row i mod 37, so that swapped,
/// stale or lost rows show.
inline constexpr std::int64_t kPoolRows = 37;

struct CheckOptions {
  std::string model;
  std::vector<std::string> engines;  ///< empty: every available one but reference and null
  Params params;                     ///< given to every engine
  /// Rows per predict call, each compared: one batch, several, a ragged one.
  std::vector<std::int64_t> rows;  ///< empty: batch_size, and kPoolRows
  std::filesystem::path expect;
  std::filesystem::path cache_dir;
  std::uint64_t seed = 1;
};

/// One outcome per engine, workload "parity": `ok`, `mismatch`, or why it could not be had. The
/// values are measure's parity fields. Throws Error{Invalid} for options or files that are wrong.
std::vector<measure::Outcome> check(const CheckOptions& options, Lab& lab, const Progress& progress,
                                    std::stop_token stop = {});

/// Seeded rows for every input port, pool order; ports without a batch axis are whole.
std::vector<Tensor> pool_inputs(const std::vector<Port>& ports, std::int64_t rows,
                                std::uint64_t seed);

/// Golden outputs for the first `rows` pool rows, one per output port.
struct Golden {
  std::vector<Tensor> outputs;
  std::string source;  ///< "expect y.npy", "reference"; empty = none, `why` says why
  std::string why;
  std::int64_t rows = 0;
};
Golden golden(const std::string& model, const ModelFacts& facts, const Params& params,
              std::int64_t rows, const std::filesystem::path& expect,
              const std::filesystem::path& cache_dir, std::uint64_t seed, Lab& lab);

}  // namespace inferometer::campaign
