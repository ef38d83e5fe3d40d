// SPDX-License-Identifier: Apache-2.0
// Small helpers for messages.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer {

/// The candidate with the smallest edit distance to `word`, or "" when nothing is near (distance >
/// half of the word's length + 1).
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// "a, b, c".
std::string join(std::span<const std::string> words, std::string_view separator = ", ");

/// The length of what can be kept of `text` in `limit` bytes without cutting a UTF-8 character.
std::size_t whole_characters(std::string_view text, std::size_t limit) noexcept;

/// Text from strangers made fit for a message: control characters escaped, cut behind at most
/// `limit` bytes, at a character.
std::string printable(std::string_view text, std::size_t limit = 120);

}  // namespace inferometer
