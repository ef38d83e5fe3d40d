// SPDX-License-Identifier: Apache-2.0
// Pieces of a command line: lists, key=value, NAME=path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "campaign/bench.hpp"
#include "inferometer/params.hpp"

namespace inferometer::cli {

/// "a,b" -> {a, b}; "\," is a comma within an element, as is one between brackets. Throws
/// UsageError naming `option` for an empty element.
std::vector<std::string> split_list(std::string_view option, std::string_view text);
/// The same, of integers.
std::vector<std::int64_t> split_integers(std::string_view option, std::string_view text);

/// `-p KEY=VALUE` each. Throws UsageError naming one without '=' or without a key, a key given
/// twice, and `engine`, which has an option of its own.
Params parse_params(const std::vector<std::string>& given);
/// `-p KEY=V1,V2` each: alternatives.
std::vector<campaign::ParamChoices> parse_choices(const std::vector<std::string>& given);

/// `[NAME=]path`. The longest of `names` that the text begins with, before an '=', is the name.
/// Else a text that holds no '=', or a '/' before it, is a path alone.
struct NamedPath {
  std::string name;  ///< empty: not given
  std::string path;
};
NamedPath parse_named_path(std::string_view option, std::string_view text,
                           const std::vector<std::string>& names = {});

}  // namespace inferometer::cli
