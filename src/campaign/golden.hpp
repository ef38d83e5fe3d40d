// SPDX-License-Identifier: Apache-2.0
// What the right answer is. Golden outputs in this order: the user's, the reference engine's, else
// none, and outcomes carry the warning `unverified`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "campaign/lab.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer::campaign {

/// The user's own truth: one output per port, in port order, and the inputs that lead to it.
struct Expected {
  std::string name;             ///< for people: "y.npy"
  std::vector<Tensor> inputs;   ///< empty: the seeded pool
  std::vector<Tensor> outputs;  ///< empty: nothing is expected
};

/// Where goldens come from and how many rows of them are wanted.
struct GoldenRequest {
  std::string model;
  Params dims;  ///< the `dim.*` params: they shape the inputs
  std::int64_t rows = 0;
  std::uint64_t seed = 1;
  Expected expect;
  std::filesystem::path cache_dir;  ///< reference's outputs are kept here by model hash; or empty
};

struct Golden {
  std::vector<Tensor> inputs;   ///< the pool: `rows` rows
  std::vector<Tensor> outputs;  ///< empty: there is none, `why` says why
  std::string source;           ///< "y.npy", "reference", "unverified"
  std::string why;
  std::int64_t rows = 0;  ///< pool rows; 0 when no port has a batch axis
};

/// Never throws for a golden that can't be had; throws Error{Invalid} when `expect` does not fit
/// the model.
Golden make_golden(const GoldenRequest& request, const ModelFacts& facts, Lab& lab);

/// `rows` rows taken from the pool in turn, starting at the first: row i is pool row i mod its
/// rows.
std::vector<Tensor> pool_batch(const std::vector<Port>& ports, const std::vector<Tensor>& pool,
                               std::int64_t rows, Lab& lab);

}  // namespace inferometer::campaign
