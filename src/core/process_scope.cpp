// SPDX-License-Identifier: Apache-2.0
#include "core/process_scope.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "inferometer/error.hpp"

namespace inferometer::core {

void claim_process_scope(const Plugin& plugin, const EngineStatus& engine,
                         const Resolved& resolved) {
  static std::mutex mutex;
  static std::map<std::string, std::string> claimed;  // "engine.param" -> value
  const std::lock_guard lock(mutex);
  const auto claim = [&](const std::string& param, const std::string& value) {
    const auto [held, first] = claimed.try_emplace(plugin.name + "." + param, value);
    if (first || held->second == value) return;
    throw Error(Status::Unsupported,
                fmt::format("param \"{}\" = {}: {} took {} for this whole process at its first "
                            "load; use isolation=process",
                            param, value, plugin.name, held->second),
                {{"param", param}, {"value", value}, {"remedy", "isolation=process"}});
  };
  for (const ParamSpec& spec : engine.params) {
    if (spec.scope == ParamSpec::Scope::Process)
      claim(spec.name, to_string(resolved.params.at(spec.name)));
  }
  // Two libraries of one engine in one process share symbols and environment: never mixed.
  if (!engine.library.empty()) claim("library", engine.library);
}

}  // namespace inferometer::core
