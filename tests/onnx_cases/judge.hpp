// SPDX-License-Identifier: Apache-2.0
// ONNX's own yardstick: |y - g| <= 1e-7 + 1e-3 |g| for each element, NaN equals NaN; integers and
// bools exactly; dtype and shape as told.
#pragma once

#include <span>

#include "inferometer/tensor.hpp"

namespace inferometer::onnx_cases {

/// Throws Error{Mismatch} naming the first output that isn't as it should be.
void require_equal(std::span<const Tensor> got, std::span<const Tensor> expected);

}  // namespace inferometer::onnx_cases
