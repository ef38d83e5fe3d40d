// SPDX-License-Identifier: Apache-2.0
// JSON at the borders: bounded parsing with our error, and our own types to and from it.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "inferometer/params.hpp"

// Instantiated once, in json_instance.cpp: with sanitizers it costs every source file more than all
// of its own code.
namespace nlohmann {
extern template class basic_json<ordered_map>;
}

namespace inferometer {

using Json = nlohmann::ordered_json;

/// Throws Error{Invalid, "<what>: ..."} on bad syntax, a nesting deeper than 64, or more than
/// 4096 keys in one object.
Json parse_json(std::string_view text, std::string_view what);

/// A JSON boolean, integer, number or string; UntypedText becomes {"untyped": text}, so that a
/// worker reads it as this process would.
Json to_json(const ParamValue& value);
ParamValue param_value_from_json(const Json& json);
Json to_json(const Params& params);
Params params_from_json(const Json& json);

Json to_json(const ParamSpec& spec);
ParamSpec param_spec_from_json(const Json& json);

}  // namespace inferometer
