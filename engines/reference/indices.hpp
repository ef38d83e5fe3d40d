// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>

#include "kernel.hpp"

namespace inferometer::reference {

/// Input 1 as indices of either dtype, counted from the front of an axis. They are data: one that
/// is outside is found when it is used.
class Indices {
 public:
  explicit Indices(const Site& site) : node_(site.node().name), op_(site.node().op) {
    const DType dtype = site.input_dtype(1);
    if (dtype != DType::I32 && dtype != DType::I64)
      site.refuse("indices that are neither i32 nor i64");
    narrow_ = dtype == DType::I32;
  }

  std::int64_t at(const View& indices, std::int64_t i, std::int64_t size) const {
    const std::int64_t given = narrow_ ? static_cast<const std::int32_t*>(indices.data)[i]
                                       : static_cast<const std::int64_t*>(indices.data)[i];
    const std::int64_t index = given < 0 ? given + size : given;
    if (index >= 0 && index < size) return index;
    throw Error(Status::PredictFailed,
                fmt::format("{} (node {}): index {} of an axis of {}", op_, node_, given, size));
  }

 private:
  std::string node_, op_;
  bool narrow_ = false;
};

}  // namespace inferometer::reference
