// SPDX-License-Identifier: Apache-2.0
#include "cli/common.hpp"

#include <cstdlib>

namespace inferometer::cli {
namespace {

const char* set_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

void add_common(Options& options, Common& common) {
  options.add_flag("--json", common.json, "Print JSON: schema, version, status, data");
  options.add_flag("--quiet", common.quiet, "No progress");
  options.add_flag("--verbose", common.verbose, "Tell more, engines' own messages included");
  options.add_flag("-h,--help", common.help, "Show this");
}

void add_cache_dir(Options& options, std::optional<std::string>& cache_dir) {
  options.add("--cache-dir", cache_dir, "DIR",
              "Where right answers and machine profiles are kept; \"\" = nowhere. Default:\n"
              "$INFEROMETER_CACHE_DIR, $XDG_CACHE_HOME/inferometer, ~/.cache/inferometer");
}

std::filesystem::path cache_folder(const std::optional<std::string>& given) {
  if (given) return *given;
  // Set but empty means off, as for the option.
  if (const char* folder = std::getenv("INFEROMETER_CACHE_DIR")) return folder;
  if (const char* folder = set_variable("XDG_CACHE_HOME"))
    return std::filesystem::path(folder) / "inferometer";
  if (const char* home = set_variable("HOME"))
    return std::filesystem::path(home) / ".cache" / "inferometer";
  return {};
}

}  // namespace inferometer::cli
