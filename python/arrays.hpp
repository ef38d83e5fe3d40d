// SPDX-License-Identifier: Apache-2.0
// Arrays of Python seen as views and tensors seen as arrays, never copied.
#pragma once

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "inferometer/inferometer.hpp"

namespace inferometer::python {

namespace nb = nanobind;

struct DTypeRow {
  DType dtype;
  nb::dlpack::dtype_code code;
};

inline constexpr std::array<DTypeRow, 13> kDTypes = {{{DType::F32, nb::dlpack::dtype_code::Float},
                                                      {DType::F64, nb::dlpack::dtype_code::Float},
                                                      {DType::F16, nb::dlpack::dtype_code::Float},
                                                      {DType::BF16, nb::dlpack::dtype_code::Bfloat},
                                                      {DType::I8, nb::dlpack::dtype_code::Int},
                                                      {DType::I16, nb::dlpack::dtype_code::Int},
                                                      {DType::I32, nb::dlpack::dtype_code::Int},
                                                      {DType::I64, nb::dlpack::dtype_code::Int},
                                                      {DType::U8, nb::dlpack::dtype_code::UInt},
                                                      {DType::U16, nb::dlpack::dtype_code::UInt},
                                                      {DType::U32, nb::dlpack::dtype_code::UInt},
                                                      {DType::U64, nb::dlpack::dtype_code::UInt},
                                                      {DType::Bool, nb::dlpack::dtype_code::Bool}}};

inline nb::dlpack::dtype to_dlpack(const DTypeRow& row) {
  return {static_cast<std::uint8_t>(row.code), static_cast<std::uint8_t>(8 * size_bytes(row.dtype)),
          1};
}

inline nb::dlpack::dtype to_dlpack(DType dtype) {
  return to_dlpack(*std::find_if(kDTypes.begin(), kDTypes.end(),
                                 [&](const DTypeRow& row) { return row.dtype == dtype; }));
}

/// "input 0", "output 1": how messages name an array.
struct Place {
  const char* kind;
  std::size_t index;
};

[[noreturn]] inline void refuse(const Place& place, const std::string& why) {
  throw Error(Status::Invalid, fmt::format("{} {} {}", place.kind, place.index, why),
              {{"argument", place.kind}, {"index", std::to_string(place.index)}, {"reason", why}});
}

inline std::string describe(nb::handle array) {
  std::string text = nb::type_name(array.type()).c_str();
  if (nb::hasattr(array, "dtype"))
    text +=
        std::string(" of dtype ") + nb::str(nb::handle(nb::object(array.attr("dtype")))).c_str();
  return text;
}

template <class Array>
DType dtype_of(const Array& array, nb::handle source, const Place& place) {
  const auto row = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeRow& candidate) {
    return to_dlpack(candidate) == array.dtype();
  });
  if (row == kDTypes.end())
    refuse(place, "is a " + describe(source) + ": no dtype of ours (bool, ints, uints and floats)");
  return row->dtype;
}

template <class Array>
bool is_row_major(const Array& array) {
  if (array.stride_ptr() == nullptr || array.size() == 0) return true;
  std::int64_t step = 1;
  for (std::size_t axis = array.ndim(); axis-- > 0;) {
    const auto size = static_cast<std::int64_t>(array.shape(axis));
    if (size != 1 && array.stride(axis) != step) return false;
    step *= size;
  }
  return true;
}

/// An array and what it is for us. Holding it keeps the memory; the view is good for as long.
template <class Array>
struct Held {
  Array array;
  View view;
};
using HeldInput = Held<nb::ndarray<nb::ro>>;
using HeldOutput = Held<nb::ndarray<>>;

/// Throws Error{Invalid} saying what would have to be copied or changed; never copies.
template <class H>
H hold(nb::handle source, const Place& place) {
  decltype(H::array) array;
  if (!nb::try_cast(source, array, false) || !array.is_valid()) {
    constexpr bool writes = std::is_same_v<H, HeldOutput>;
    refuse(place,
           fmt::format("is a {}, not an array that can be {} in place: give a {}NumPy array "
                       "of native byte order or one that speaks DLPack",
                       describe(source), writes ? "written" : "read", writes ? "writable " : ""));
  }
  if (array.device_type() != nb::device::cpu::value)
    refuse(place, fmt::format("lies on DLPack device type {}; bring it to the CPU first",
                              array.device_type()));
  const DType dtype = dtype_of(array, source, place);
  if (!is_row_major(array))
    refuse(place, "is not contiguous in row-major order; give numpy.ascontiguousarray(x)");
  void* data = const_cast<void*>(static_cast<const void*>(array.data()));
  if (reinterpret_cast<std::uintptr_t>(data) % size_bytes(dtype) != 0)
    refuse(place, "is not aligned to its elements; give a copy of it");
  const Shape shape(std::span<const std::int64_t>(array.shape_ptr(), array.ndim()));
  return {std::move(array), View(data, dtype, shape)};
}

/// A list of arrays and the views of them, in one order.
template <class H>
struct HeldList {
  explicit HeldList(const nb::sequence& sources, const char* kind) {
    for (nb::handle source : sources) {
      held.push_back(hold<H>(source, {kind, held.size()}));
      views.push_back(held.back().view);
    }
  }
  std::vector<H> held;
  std::vector<View> views;
};

/// A NumPy array over the tensor's memory, which it keeps. NumPy has no bf16: those come as their
/// 16 bits, see as_bf16.
inline nb::object to_numpy(const Tensor& tensor) {
  auto owner = std::make_unique<Tensor>(tensor);
  const nb::capsule capsule(owner.get(),
                            [](void* held) noexcept { delete static_cast<Tensor*>(held); });
  owner.release();
  const DType dtype = tensor.dtype() == DType::BF16 ? DType::U16 : tensor.dtype();
  std::array<std::size_t, kMaxRank> shape{};
  std::copy(tensor.shape().begin(), tensor.shape().end(), shape.begin());
  const nb::ndarray<nb::numpy> array(tensor.data(), tensor.shape().rank(), shape.data(), capsule,
                                     nullptr, to_dlpack(dtype));
  return nb::cast(array, nb::rv_policy::reference);
}

/// The 16 bits of bf16 elements as a DLPack array of bf16, which keeps `bits`.
inline nb::object as_bf16(nb::handle bits) {
  const auto source = hold<HeldInput>(bits, {"array", 0});
  if (source.view.dtype != DType::U16) refuse({"array", 0}, "must be of dtype uint16");
  std::array<std::size_t, kMaxRank> shape{};
  std::copy(source.view.shape.begin(), source.view.shape.end(), shape.begin());
  const nb::ndarray<nb::array_api> array(source.view.data, source.view.shape.rank(), shape.data(),
                                         bits, nullptr, to_dlpack(DType::BF16));
  return nb::cast(array, nb::rv_policy::reference);
}

}  // namespace inferometer::python
