// SPDX-License-Identifier: Apache-2.0
// Where an engine's library is. One order for all engines: param `library`,
// INFEROMETER_<ENGINE>_HOME, the active Python environment, the build tree's environment, the
// system.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace inferometer {

/// What to look for. Patterns may hold * in a file name; the highest version that matches wins.
struct LibraryQuery {
  std::string engine;  ///< "onnxruntime": gives INFEROMETER_ONNXRUNTIME_HOME
  std::vector<std::string>
      wheel_files;  ///< below site-packages: "onnxruntime/capi/libonnxruntime.so.*"
  std::vector<std::string> home_files;  ///< below the HOME folder: "lib/libonnxruntime.so*", "*.so"
  std::vector<std::string> system_files;  ///< below the system's library folders
};

/// The library's absolute path. Throws Error{Unavailable} listing every place looked at and what
/// was found there.
std::filesystem::path locate(const LibraryQuery& query, const std::filesystem::path& chosen);

/// dlopen(RTLD_NOW | RTLD_LOCAL), never closed. Throws Error{Unavailable} with the loader's text.
void* open_library(const std::filesystem::path& path);
/// Throws Error{Unavailable} "<path> is not <what>: it lacks <name>".
void* symbol(void* library, const char* name, const std::filesystem::path& path,
             const std::string& what);

}  // namespace inferometer
