// SPDX-License-Identifier: Apache-2.0
#include "rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace inferometer::null {
namespace {

template <class T>
void put(std::byte* target, T value) {
  std::memcpy(target, &value, sizeof value);
}

// 0..127, or 1.0 .. 1.1 for the two half types, whose exponent bits stand above the low seven.
void put_small(DType dtype, std::byte* target, unsigned value) {
  switch (dtype) {
    case DType::F32:
      return put(target, static_cast<float>(value));
    case DType::F64:
      return put(target, static_cast<double>(value));
    case DType::F16:
      return put(target, static_cast<std::uint16_t>(0x3C00u | value));
    case DType::BF16:
      return put(target, static_cast<std::uint16_t>(0x3F80u | value));
    case DType::Bool:
      return put(target, static_cast<std::uint8_t>(value & 1u));
    case DType::I8:
    case DType::U8:
      return put(target, static_cast<std::uint8_t>(value));
    case DType::I16:
    case DType::U16:
      return put(target, static_cast<std::uint16_t>(value));
    case DType::I32:
    case DType::U32:
      return put(target, static_cast<std::uint32_t>(value));
    case DType::I64:
    case DType::U64:
      return put(target, static_cast<std::uint64_t>(value));
  }
}

void copy_row(const std::byte* in, std::size_t in_bytes, std::byte* out, std::size_t out_bytes) {
  for (std::size_t done = 0; done < out_bytes; done += in_bytes)
    std::memcpy(out + done, in, std::min(in_bytes, out_bytes - done));
}

void derive_row(const std::byte* in, std::size_t in_bytes, const Rows& out, std::byte* row) {
  const auto step = size_bytes(out.dtype);
  for (std::size_t j = 0; j < static_cast<std::size_t>(out.row_elements); ++j)
    put_small(out.dtype, row + j * step, std::to_integer<unsigned>(in[j % in_bytes]) & 127u);
}

}  // namespace

void fill_rows(const Rows& in, const Rows& out) {
  const auto in_bytes = in.row_bytes(), out_bytes = out.row_bytes();
  if (in_bytes == 0 || out_bytes == 0) return;
  for (std::int64_t r = 0; r < out.rows; ++r) {
    const std::byte* from = in.data + static_cast<std::size_t>(in.rows == 1 ? 0 : r) * in_bytes;
    std::byte* to = out.data + static_cast<std::size_t>(r) * out_bytes;
    if (in.dtype == out.dtype)
      copy_row(from, in_bytes, to, out_bytes);
    else
      derive_row(from, in_bytes, out, to);
  }
}

void make_wrong(const Rows& out) {
  const auto step = size_bytes(out.dtype);
  for (std::size_t at = 0; at < static_cast<std::size_t>(out.rows) * out.row_bytes(); at += step)
    put_small(out.dtype, out.data + at, 99);
}

void make_nan(const Rows& out) {
  const auto step = size_bytes(out.dtype);
  for (std::size_t at = 0; at < static_cast<std::size_t>(out.rows) * out.row_bytes(); at += step) {
    std::byte* target = out.data + at;
    if (out.dtype == DType::Bool)
      put(target, std::uint8_t{1});
    else if (out.dtype == DType::F64)
      put(target, std::numeric_limits<double>::quiet_NaN());
    else if (out.dtype == DType::F32)
      put(target, std::numeric_limits<float>::quiet_NaN());
    else
      std::memset(target, 0x7F, step);  // NaN in both half types
  }
}

void swap_first_rows(const Rows& out) {
  if (out.rows < 2) return;
  const auto bytes = out.row_bytes();
  std::swap_ranges(out.data, out.data + bytes, out.data + bytes);
}

}  // namespace inferometer::null
