// SPDX-License-Identifier: Apache-2.0
#include "base/params.hpp"
#include "core/runner.hpp"
#include "core/unified.hpp"
#include "core/wall.hpp"
#include "inferometer/inferometer.hpp"
#include "process/remote.hpp"

namespace inferometer {

namespace {
// Heavy engines open hundreds of megabytes, sometimes from a cold disk.
constexpr std::chrono::seconds kProbeLimit{60};
}  // namespace

Model load(const std::filesystem::path& path, const Params& params) {
  require_utf8(params);
  const std::string isolation = core::unified_text(params, "isolation");
  return Model(isolation == "process" ? process::load_remote(path, params)
                                      : core::load_local(path, params));
}

std::vector<EngineStatus> engines() {
  static const std::vector<EngineStatus> found = [] {
    std::vector<std::string> names;
    for (const core::Plugin& plugin : core::plugins()) names.push_back(plugin.name);
    return process::probe_engines(names, kProbeLimit);
  }();
  return found;
}

}  // namespace inferometer
