// SPDX-License-Identifier: Apache-2.0
// Identity of files and of keys. XXH3-128: fast, and meant against accidents; the cache folder is
// the owner's alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace inferometer::core {

/// Feeds bytes; `hex` may be called once at the end: 32 hexadecimal digits.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void feed(std::span<const std::byte> bytes);
  /// The length goes in too, so that {"ab","c"} and {"a","bc"} differ.
  void feed(std::string_view text);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What this process has spent on file_hash and model_hash: no part of a load's time.
std::chrono::nanoseconds hashing_time() noexcept;

/// Hash of a file's content, remembered for this process by device, inode, size and time of change.
/// Thread-safe. Throws Error{Invalid} when it can't be read.
std::string file_hash(const std::filesystem::path& path);

/// What file_hash remembers, for another process of this machine, which need not read the files
/// then. Thread-safe. Throw Error{Invalid} for JSON that isn't it.
Json remembered_hashes();
void remember_hashes(const Json& hashes);

/// Hash of a model: its file and those that belong to it, which are ONNX's external data and the
/// weights (.bin) of OpenVINO's IR.
struct ModelHash {
  std::string hex;
  std::vector<std::filesystem::path> files;  ///< that are in it: the model's own first
  std::string left_out;                      ///< why external data may be missing; empty: all is in
};
ModelHash model_hash(const std::filesystem::path& path);

}  // namespace inferometer::core
