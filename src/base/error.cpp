// SPDX-License-Identifier: Apache-2.0
#include "inferometer/error.hpp"

#include <array>
#include <cstddef>

#include "base/text.hpp"

namespace inferometer {
namespace {

constexpr std::array<std::string_view, 11> kWords = {
    "ok",       "unavailable", "unsupported",   "invalid", "load_failed", "predict_failed",
    "mismatch", "timeout",     "out_of_memory", "crashed", "skipped"};

}  // namespace

std::string_view to_string(Status status) noexcept {
  return kWords[static_cast<std::size_t>(status)];
}

Status parse_status(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<Status>(i);
  }
  throw Error(Status::Invalid, "unknown status \"" + printable(word) + "\"");
}

}  // namespace inferometer
