// SPDX-License-Identifier: Apache-2.0
// Checking params against what an engine declares.
#pragma once

#include <span>

#include "inferometer/params.hpp"

namespace inferometer {

/// `value` as the spec's type, in its domain or not; UntypedText is read as it. nullopt: it isn't
/// one.
std::optional<ParamValue> typed(const ParamSpec& spec, const ParamValue& value);

/// The same, in its domain. Throws Error{Invalid} naming param,
/// value and domain.
ParamValue checked(const ParamSpec& spec, const ParamValue& value);

/// Throws Error{Invalid} for a name or text that isn't UTF-8: params travel as JSON.
void require_utf8(const Params& given);

/// Every spec with its given or default value. Throws Error{Invalid} for an unknown name (context:
/// param, nearest), a wrong type or a value out of its domain.
Params resolve(std::span<const ParamSpec> specs, const Params& given);

/// "integer 1..1024", "one of a, b".
std::string domain_text(const ParamSpec& spec);

}  // namespace inferometer
