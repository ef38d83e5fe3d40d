// SPDX-License-Identifier: Apache-2.0
// Options that several subcommands take.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/options.hpp"

namespace inferometer::cli {

/// Of every subcommand.
struct Common {
  bool json = false, quiet = false, verbose = false, help = false;
};
void add_common(Options& options, Common& common);

/// --cache-dir.
void add_cache_dir(Options& options, std::optional<std::string>& cache_dir);
/// Given, else INFEROMETER_CACHE_DIR, else XDG_CACHE_HOME/inferometer, else ~/.cache/inferometer;
/// empty = off.
std::filesystem::path cache_folder(const std::optional<std::string>& given);

}  // namespace inferometer::cli
