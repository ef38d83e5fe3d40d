// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_names.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/arguments.hpp"
#include "inferometer/error.hpp"

namespace inferometer::cli {

const EngineStatus& engine_named(const std::vector<EngineStatus>& engines,
                                 const std::string& name) {
  std::vector<std::string> names;
  for (const auto& engine : engines) {
    if (engine.name == name) return engine;
    names.push_back(engine.name);
  }
  const auto near = nearest(name, names);
  throw Error(Status::Invalid,
              fmt::format("there is no engine '{}'{}; engines: {}", printable(name),
                          near.empty() ? "" : fmt::format(", did you mean {}?", near), join(names)),
              {{"engine", name}, {"nearest", near}});
}

std::vector<std::string> chosen_engines(const std::string& list,
                                        const std::vector<EngineStatus>& engines) {
  std::vector<std::string> names;
  if (!list.empty()) {
    names = split_list("--engines", list);
    for (const auto& name : names) engine_named(engines, name);
    return names;
  }
  for (const auto& engine : engines)
    if (engine.available && engine.name != "reference" && engine.name != "null")
      names.push_back(engine.name);
  if (names.empty()) {
    throw Error(Status::Unavailable,
                "no engine but our own null and reference is available here; name them with "
                "--engines, or see `inferometer engines`");
  }
  return names;
}

}  // namespace inferometer::cli
