// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_names.hpp"

#include "campaign/lab.hpp"
#include "cli/arguments.hpp"
#include "inferometer/error.hpp"

namespace inferometer::cli {

std::vector<std::string> usual_engines(const std::vector<EngineStatus>& engines) {
  std::vector<std::string> names;
  for (const auto& engine : engines)
    if (engine.available && engine.name != "reference" && engine.name != "null")
      names.push_back(engine.name);
  return names;
}

std::vector<std::string> chosen_engines(const std::string& list,
                                        const std::vector<EngineStatus>& engines) {
  std::vector<std::string> names;
  if (!list.empty()) {
    names = split_list("--engines", list);
    for (const auto& name : names) campaign::engine_named(engines, name);
    return names;
  }
  names = usual_engines(engines);
  if (names.empty()) {
    throw Error(Status::Unavailable,
                "no engine but our own null and reference is available here; name them with "
                "--engines, or see `inferometer engines`");
  }
  return names;
}

}  // namespace inferometer::cli
