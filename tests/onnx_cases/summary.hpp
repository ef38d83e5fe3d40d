// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "expectations.hpp"

namespace inferometer::onnx_cases {

/// A table of counts: a row per class of cases, a column per ending that occurred.
std::string summary(const std::vector<Case>& cases, const std::vector<Result>& results);

}  // namespace inferometer::onnx_cases
