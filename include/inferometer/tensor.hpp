// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "inferometer/export.hpp"

namespace inferometer {

/// Element types of tensors. `F16` and `BF16` have no C++ type here: their memory is given as
/// std::uint16_t.
enum class DType : std::uint8_t { F32, F64, F16, BF16, I8, I16, I32, I64, U8, U16, U32, U64, Bool };

/// "f32", "f64", "f16", "bf16", "i8", ..., "u64", "bool".
INFEROMETER_API std::string_view to_string(DType dtype) noexcept;

/// The inverse of to_string. Throws Error{Invalid} for any other word.
INFEROMETER_API DType parse_dtype(std::string_view word);

/// Bytes of one element.
INFEROMETER_API std::size_t size_bytes(DType dtype) noexcept;

/// The dtype of a C++ element type.
template <class T>
constexpr DType dtype_of() noexcept;
template <>
constexpr DType dtype_of<float>() noexcept {
  return DType::F32;
}
template <>
constexpr DType dtype_of<double>() noexcept {
  return DType::F64;
}
template <>
constexpr DType dtype_of<std::int8_t>() noexcept {
  return DType::I8;
}
template <>
constexpr DType dtype_of<std::int16_t>() noexcept {
  return DType::I16;
}
template <>
constexpr DType dtype_of<std::int32_t>() noexcept {
  return DType::I32;
}
template <>
constexpr DType dtype_of<std::int64_t>() noexcept {
  return DType::I64;
}
template <>
constexpr DType dtype_of<std::uint8_t>() noexcept {
  return DType::U8;
}
template <>
constexpr DType dtype_of<std::uint16_t>() noexcept {
  return DType::U16;
}
template <>
constexpr DType dtype_of<std::uint32_t>() noexcept {
  return DType::U32;
}
template <>
constexpr DType dtype_of<std::uint64_t>() noexcept {
  return DType::U64;
}
template <>
constexpr DType dtype_of<bool>() noexcept {
  return DType::Bool;
}

/// The highest rank that crosses the API.
inline constexpr std::size_t kMaxRank = 8;

/// Sizes of a tensor's axes, outermost first, held without allocation. A scalar has rank 0.
class INFEROMETER_API Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  /// Throws Error{Invalid} when there are more than kMaxRank axes.
  explicit Shape(std::span<const std::int64_t> dims);

  std::size_t rank() const noexcept { return rank_; }
  std::int64_t operator[](std::size_t axis) const noexcept { return dims_[axis]; }
  std::int64_t& operator[](std::size_t axis) noexcept { return dims_[axis]; }
  const std::int64_t* begin() const noexcept { return dims_.data(); }
  const std::int64_t* end() const noexcept { return dims_.data() + rank_; }
  std::span<const std::int64_t> dims() const noexcept { return {dims_.data(), rank_}; }

  /// Product of the sizes (1 for a scalar). Throws Error{Invalid} on a negative size or an overflow
  /// of int64.
  std::int64_t elements() const;

  bool operator==(const Shape& other) const noexcept {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  std::uint8_t rank_ = 0;
};

/// "[1,3,224,224]".
INFEROMETER_API std::string to_string(const Shape& shape);

/// Memory of somebody else seen as a contiguous, row-major tensor. The memory must stay alive and
/// in place for the duration of the call that the view is given to (predict_async takes tensors
/// instead). Views given as inputs are only read.
struct View {
  void* data = nullptr;
  DType dtype = DType::F32;
  Shape shape;

  View() = default;
  View(void* memory, DType type, Shape dims) : data(memory), dtype(type), shape(dims) {}
  /// A read-only view: for inputs only.
  View(const void* memory, DType type, Shape dims) : View(const_cast<void*>(memory), type, dims) {}
  template <class T>
  View(T* memory, Shape dims) : View(memory, dtype_of<std::remove_const_t<T>>(), dims) {}

  /// Throws Error{Invalid} for a shape that no memory can hold.
  INFEROMETER_API std::size_t size_bytes() const;
  template <class T>
  std::span<T> as() const {
    return {static_cast<T*>(data), static_cast<std::size_t>(shape.elements())};
  }
};

/// A tensor that owns its memory (shared between copies of the handle), 64-byte aligned unless
/// adopted.
class INFEROMETER_API Tensor {
 public:
  Tensor() = default;
  /// Uninitialised memory. Throws Error{Invalid} on a negative or overflowing shape,
  /// Error{OutOfMemory} when it can't be had.
  Tensor(DType dtype, Shape shape);
  /// Adopts memory that `owner` keeps alive.
  Tensor(View view, std::shared_ptr<void> owner) : view_(view), owner_(std::move(owner)) {}

  const View& view() const noexcept { return view_; }
  operator const View&() const noexcept {
    return view_;
  }  // a tensor is accepted wherever a view is
  DType dtype() const noexcept { return view_.dtype; }
  const Shape& shape() const noexcept { return view_.shape; }
  void* data() const noexcept { return view_.data; }
  template <class T>
  std::span<T> as() const {
    return view_.as<T>();
  }
  const std::shared_ptr<void>& owner() const noexcept { return owner_; }

 private:
  View view_;
  std::shared_ptr<void> owner_;
};

}  // namespace inferometer
