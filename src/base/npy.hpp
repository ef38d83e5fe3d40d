// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files, format versions 1 to 3, row-major, in this machine's byte order. Every dtype
// of ours but bf16, for which NumPy has no type.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "inferometer/tensor.hpp"

namespace inferometer {

/// The tensor in a whole file's bytes, copied. `what` names the source in errors. Allocates nothing
/// larger than the bytes given. Throws Error{Invalid} saying what is wrong with the file, or
/// Error{Unsupported} for what .npy can hold and we don't (other types, column-major, big-endian).
Tensor parse_npy(std::span<const std::byte> bytes, std::string_view what);

/// As parse_npy, from a file.
Tensor read_npy(const std::filesystem::path& path);

/// The header that precedes a tensor's elements, padded to 64 bytes. Throws Error{Unsupported} for
/// bf16.
std::string npy_header(DType dtype, const Shape& shape);

/// Writes to a temporary name and renames. Errors as npy_header; Error{Invalid} naming the path.
void write_npy(const std::filesystem::path& path, const View& tensor);

}  // namespace inferometer
