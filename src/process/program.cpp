// SPDX-License-Identifier: Apache-2.0
// Where the worker program is.
#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.hpp"
#include "inferometer/error.hpp"
#include "process/worker.hpp"

namespace inferometer::process {

namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "inferometer_worker";

void add_near(const fs::path& file, std::vector<fs::path>& places) {
  const fs::path folder = file.parent_path();
  // Installed beside, or in bin or libexec next to lib; the Python package of a build tree lies
  // deeper.
  for (const char* relative : {".", "../bin", "../libexec", "../../bin"})
    places.push_back((folder / relative / kName).lexically_normal());
}

std::vector<fs::path> places() {
  std::vector<fs::path> all;
  Dl_info self{};
  std::error_code ignored;
  if (::dladdr(reinterpret_cast<const void*>(&find_worker_program), &self) && self.dli_fname)
    add_near(fs::absolute(self.dli_fname, ignored), all);
  add_near(fs::read_symlink("/proc/self/exe", ignored), all);
  return all;
}

}  // namespace

fs::path find_worker_program() {
  if (const char* chosen = std::getenv("INFEROMETER_WORKER"); chosen && *chosen) {
    if (::access(chosen, X_OK) == 0) return chosen;
    throw Error(Status::Unavailable,
                fmt::format("INFEROMETER_WORKER names {}, which can't be run", printable(chosen)));
  }
  std::vector<std::string> tried;
  for (const fs::path& place : places()) {
    if (::access(place.c_str(), X_OK) == 0) return place;
    tried.push_back(place.string());
  }
  throw Error(
      Status::Unavailable,
      fmt::format("no worker program; looked at {}; INFEROMETER_WORKER can name it", join(tried)));
}

}  // namespace inferometer::process
