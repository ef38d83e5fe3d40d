// SPDX-License-Identifier: Apache-2.0
#include "cli/param_table.hpp"

#include "base/params.hpp"
#include "cli/table.hpp"

namespace inferometer::cli {

ParamRow param_row(const ParamSpec& spec) {
  const Json json = inferometer::to_json(spec);
  // Some defaults depend on machine and model: then the help says which.
  const bool explained = spec.help.find("default") != std::string::npos;
  const std::string fallback = to_string(spec.fallback);
  return {.name = spec.name,
          .domain = domain_text(spec),
          .fallback = explained          ? "(see help)"
                      : fallback.empty() ? "\"\""
                                         : fallback,
          .knob = spec.knob ? "yes" : "no",
          .scope = json.at("scope").get<std::string>(),
          .affects = json.at("affects").get<std::string>(),
          .help = spec.help};
}

std::string param_table_text(const std::vector<ParamSpec>& specs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& spec : specs) {
    const ParamRow row = param_row(spec);
    rows.push_back(
        {row.name, row.domain, row.fallback, row.knob, row.scope, row.affects, row.help});
  }
  return table_text(
      {{"param"}, {"domain"}, {"default"}, {"knob"}, {"scope"}, {"affects"}, {"help"}}, rows);
}

Json param_list_json(const std::vector<ParamSpec>& specs) {
  Json list = Json::array();
  for (const auto& spec : specs) {
    Json json = inferometer::to_json(spec);
    json["domain"] = domain_text(spec);
    json["default_shown"] = param_row(spec).fallback;
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace inferometer::cli
