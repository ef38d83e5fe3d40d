// SPDX-License-Identifier: Apache-2.0
// Params as people and programs read them: `engines NAME` and docs/params.md come from here.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "inferometer/params.hpp"

namespace inferometer::cli {

/// name, domain, default, knob, scope, affects, help: one place for their words.
struct ParamRow {
  std::string name, domain, fallback, knob, scope, affects, help;
};
ParamRow param_row(const ParamSpec& spec);

std::string param_table_text(const std::vector<ParamSpec>& specs);
/// A list of base's to_json(ParamSpec) with "domain" beside.
Json param_list_json(const std::vector<ParamSpec>& specs);

}  // namespace inferometer::cli
