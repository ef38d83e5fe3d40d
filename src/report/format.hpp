// SPDX-License-Identifier: Apache-2.0
// Quantities as people read them: three or four significant digits, the unit that fits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace inferometer::report {

std::string rate_text(double per_s);   ///< "25.4", "1,234", "0.0512"
std::string duration_text(double ns);  ///< "1.23 ms", "45.0 s", "870 ns"
std::string bytes_text(double bytes);  ///< "97.5 MiB"
std::string share_text(double share);  ///< "41 %"
std::string ratio_text(double ratio);  ///< "1.075"

/// The first letters of a machine_id: enough to tell a handful of machines apart.
std::string short_machine_id(std::string_view machine_id);

/// A Field's value by the unit that its key ends in; "" for null or absent.
std::string value_text(const Json& values, std::string_view key);

std::optional<double> number_of(const Json& values, std::string_view key);

/// Text fit for HTML, attribute values too.
std::string html_text(std::string_view text);
/// JSON fit for a <script> element: no '<' is left.
std::string script_json(const Json& json);
/// One line of a Markdown table's cell.
std::string markdown_text(std::string_view text);
/// A CSV field, quoted where RFC 4180 asks; a leading = + - @ of a text is defused for
/// spreadsheets.
std::string csv_text(std::string_view text);

}  // namespace inferometer::report
