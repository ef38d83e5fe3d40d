// SPDX-License-Identifier: Apache-2.0
// What the right answer is. Golden outputs in this order: the user's, the reference engine's, what
// two unrelated engines agree on; else none, and outcomes carry the warning `unverified`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "campaign/inputs.hpp"
#include "campaign/lab.hpp"
#include "inferometer/tensor.hpp"
#include "measure/parity.hpp"
#include "measure/pool.hpp"

namespace inferometer::campaign {

/// The user's own truth: tensors in port order.
struct Expected {
  std::string name;                 ///< for people: "y.npy"
  std::vector<InputSource> inputs;  ///< empty: the seeded pool, as many rows as the outputs have
  std::vector<Tensor> outputs;      ///< empty: what the reference engine makes of the inputs
  /// As given on a command line, for the lines that rerun a cell.
  std::vector<std::string> input_files, output_files;
};

/// Where a golden comes from and how many rows of it are wanted.
struct GoldenRequest {
  measure::Cell cell;  ///< the cell that asks: its model and `dim.*` params
  Info info;           ///< of that cell, loaded: its ports
  std::string model_hash;
  std::int64_t rows = 0;  ///< at most measure::kPoolRows are computed
  std::uint64_t seed = measure::kSeed;
  const Expected* expect = nullptr;
  std::filesystem::path cache_dir;  ///< reference's outputs are kept here by model hash; or empty
};

struct Golden {
  std::vector<Tensor> inputs;  ///< the pool, in port order
  /// Inputs of the same kind with another answer (given ones: the same, whose rows may be turned):
  /// what an engine computes before it is asked, so that a stale answer shows.
  std::vector<Tensor> other_inputs;
  std::vector<Tensor> outputs;  ///< of the pool; empty: there are none, `why` says why
  std::string source;           ///< "y.npy", "reference", "agreement of A and B", "unverified"
  std::string why;
};

/// Never throws for a golden that can't be had: `why` says why. Throws Error{Invalid} when `expect`
/// does not fit the model.
Golden make_golden(const GoldenRequest& request, Lab& lab);

/// `rows` rows drawn from the pool in turn, from row `first` on, in pages that every worker shares.
/// Ports without a batch axis as they are.
std::vector<Tensor> pool_batch(const std::vector<Port>& ports, const std::vector<Tensor>& pool,
                               std::int64_t rows, Lab& lab, std::int64_t first = 0);

/// What comparing `outputs` of a batch with the golden tells.
struct Parity {
  Json values = Json::object();                   ///< parity_* keys
  std::optional<measure::ParityFigures> figures;  ///< of the worst output; none: nothing to compare
  std::string failure;                            ///< why it is a mismatch; empty = it passed
  std::vector<std::string> warnings;              ///< "unverified: ..."
};
/// `precision` picks the gate; `softmaxes`: by output, as in ModelFacts.
Parity compare_with(const Golden& golden, const std::vector<Port>& ports,
                    const std::vector<Tensor>& outputs, const std::string& precision,
                    std::span<const std::optional<measure::Softmax>> softmaxes);

}  // namespace inferometer::campaign
