// SPDX-License-Identifier: Apache-2.0
// The checked-in table of what doesn't pass: groups of a word, a reason, and the cases or whole
// operators that it covers. What isn't in it passes.
//
//   unsupported: the engine has no such operator
//     ArgMax ArgMin
//   mismatch: the number of repeats is not read
//     test_tile test_tile_precomputed
//
// Words: "frozen" (passes only with integer inputs as constants), "unstable" (another ending each
// time), or the status that the case ends with. An operator covers every case that has it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "case.hpp"

namespace inferometer::onnx_cases {

inline constexpr const char* kFrozen = "frozen";
inline constexpr const char* kUnstable = "unstable";

struct Expected {
  std::string word, reason;
};

struct Expectations {
  std::map<std::string, Expected> cases, operators;
};

/// How a case came out: "ok", kFrozen, or a status.
struct Result {
  const Case* which = nullptr;
  std::string word;
  std::string text;  ///< why not
};

/// Throws Error{Invalid} naming the line. An absent file is an empty table.
Expectations read_expectations(const std::filesystem::path& path);
Expectations parse_expectations(const std::string& text, const std::string& what);

/// nullptr: it should pass.
const Expected* expectation_of(const Expectations& table, const Case& which);

/// What is wrong with a result, one sentence; nullopt: it is as expected.
std::optional<std::string> contradiction(const Expectations& table, const Result& result);

/// The table that these results make true; reasons of the old one are kept where the word is the
/// same, and so is what it calls unstable.
Expectations updated(const Expectations& old, const std::vector<Result>& results);
/// Groups sorted by word and reason, lines of at most 100 characters.
std::string to_text(const Expectations& table, const std::string& title);

}  // namespace inferometer::onnx_cases
