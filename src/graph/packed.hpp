// SPDX-License-Identifier: Apache-2.0
// Weights as an engine wants them, in a file of their own: aligned, and made once however many
// workers map it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// Of every tensor's first byte, in the file and in memory.
inline constexpr std::size_t kPackedAlignment = 64;

/// A tensor to pack, and how its bytes are made: `fill` gets all of them, and is called only when
/// there is no file yet.
struct PackedTensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::function<void(std::span<std::byte>)> fill;
};

/// Writes one file; at most one tensor is in memory at a time. Throws Error{Invalid} naming the
/// path when it can't be written, and for shapes whose bytes overflow.
void write_packed(const std::filesystem::path& path, std::span<const PackedTensor> tensors);

/// The tensors, in their order, as windows of the mapped file. Throws Error{Invalid} naming the
/// path for a file that doesn't hold exactly these names, dtypes and shapes, or has another size.
/// What the tensors hold is not looked at.
std::vector<Constant> map_packed(const std::filesystem::path& path,
                                 std::span<const PackedTensor> tensors);

/// The same in this process's memory.
std::vector<Constant> pack_in_memory(std::span<const PackedTensor> tensors);

}  // namespace inferometer::graph
