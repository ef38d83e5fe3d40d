// SPDX-License-Identifier: Apache-2.0
// The one shape of all JSON that the program prints: {"schema", "version", "status", "data"}.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "inferometer/error.hpp"

namespace inferometer::cli {

/// Of this program: "0.1.0".
std::string_view version();

/// `about` names what data holds: a subcommand, or "error".
Json envelope(std::string_view about, Status status, Json data);
/// data = {"message", "context"}.
Json error_envelope(Status status, std::string_view message, const Error::Context& context);

/// Indented, with a last newline; text that is not UTF-8 is mended.
std::string printed(const Json& json);

}  // namespace inferometer::cli
