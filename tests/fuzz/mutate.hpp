// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "../random_graphs/random.hpp"

namespace inferometer::fuzz {

/// A protobuf message with one to four fields changed, somewhere in its tree: lengths stay true, so
/// that the change is met where the reader gives it a meaning and not at the first length.
std::string mutate(std::string_view message, random_graphs::Random& random);

}  // namespace inferometer::fuzz
