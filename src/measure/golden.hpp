// SPDX-License-Identifier: Apache-2.0
// Golden outputs kept in a file: they cost minutes on large models, and never change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "inferometer/tensor.hpp"

namespace inferometer::measure {

/// What a golden is the answer to.
struct GoldenKey {
  std::string model_hash;
  std::string source;  ///< "reference", and the hash of its code
  std::string params;  ///< what else decides the answer: dims, as text
  std::uint64_t seed = 0;
  bool operator==(const GoldenKey&) const = default;
};

struct GoldenFile {
  GoldenKey key;
  std::int64_t rows = 0;  ///< pool rows [0, rows)
  std::vector<Tensor> outputs;
};

/// A name for the file, from the key.
std::string golden_name(const GoldenKey& key);

/// Written under a temporary name, then renamed.
void write_golden(const std::filesystem::path& path, const GoldenFile& golden);
/// Bounded by the file's size. Throws Error{Invalid} naming the path and what is wrong with it.
GoldenFile read_golden(const std::filesystem::path& path);

}  // namespace inferometer::measure
