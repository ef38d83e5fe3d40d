// SPDX-License-Identifier: Apache-2.0
// Throwing our error with formatted text: the graph folder's one way to say no.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "inferometer/error.hpp"

namespace inferometer::graph {

template <class... Args>
[[noreturn]] void throw_invalid(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(Status::Invalid, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void throw_unsupported(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(Status::Unsupported, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace inferometer::graph
