// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace inferometer::fuzz {

/// Reads, infers, folds, describes and, when it is small, computes a model of unknown origin. Gives
/// how far it came: "" to the end, else the text of the Error that refused it. Anything but an
/// Error is a find.
std::string consume(std::span<const std::byte> model);

}  // namespace inferometer::fuzz
