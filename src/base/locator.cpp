// SPDX-License-Identifier: Apache-2.0
#include "base/locator.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

namespace fs = std::filesystem;

// Compares runs of digits as numbers: so.1.9 < so.1.32.
bool version_less(const std::string& a, const std::string& b) {
  return ::strverscmp(a.c_str(), b.c_str()) < 0;
}

bool matches(std::string_view name, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.starts_with(head) && name.ends_with(tail);
}

// The highest version of `folder`/`pattern` (at most one * in the file name).
std::optional<fs::path> find_in(const fs::path& folder, const std::string& pattern) {
  const fs::path whole = folder / pattern;
  std::error_code error;
  std::optional<fs::path> best;
  for (const auto& entry : fs::directory_iterator(whole.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (!matches(name, whole.filename().string()) || !entry.is_regular_file(error)) continue;
    if (!best || version_less(best->filename().string(), name)) best = entry.path();
  }
  return best;
}

// What a search that failed found instead: names that begin alike, as those of another version do.
std::string found_in(const fs::path& folder, const std::string& pattern) {
  constexpr std::size_t kMost = 4;
  const fs::path whole = folder / pattern;
  const std::string wanted = whole.filename().string();
  const std::string stem = wanted.substr(0, wanted.find_first_of(".*"));
  std::error_code error;
  std::vector<std::string> alike;
  for (const auto& entry : fs::directory_iterator(whole.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (!stem.empty() && name.starts_with(stem)) alike.push_back(printable(name));
  }
  if (error) return error.message();
  if (alike.empty()) return "nothing of that name";
  std::sort(alike.begin(), alike.end(), version_less);
  const std::size_t rest = alike.size() - std::min(alike.size(), kMost);
  alike.resize(alike.size() - rest);
  return "only " + join(alike) + (rest > 0 ? fmt::format(" and {} more", rest) : "");
}

struct Place {
  fs::path folder;
  std::string origin;  // how people know the place
  const std::vector<std::string>* patterns;
};

// <environment>/lib/python3.*/site-packages
std::vector<fs::path> site_packages(const fs::path& environment) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(environment / "lib", error)) {
    if (matches(entry.path().filename().string(), "python3*"))
      found.push_back(entry.path() / "site-packages");
  }
  return found;
}

std::string home_variable(std::string engine) {
  std::transform(engine.begin(), engine.end(), engine.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return "INFEROMETER_" + engine + "_HOME";
}

// The environment that the build tree belongs to: written beside the plugins at configure time,
// absent when installed.
std::optional<fs::path> build_tree_python() {
  Dl_info self{};
  if (::dladdr(reinterpret_cast<void*>(&build_tree_python), &self) == 0 ||
      self.dli_fname == nullptr)
    return {};
  const fs::path record = fs::absolute(self.dli_fname).parent_path() / "build_tree_python";
  std::error_code error;
  if (!fs::exists(record, error)) return {};
  std::string text = read_text(record, 4096);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return fs::path(text);
}

void add_environment(std::vector<Place>& places, const fs::path& environment,
                     const std::string& origin, const LibraryQuery& query) {
  const auto folders = site_packages(environment);
  for (const fs::path& folder : folders) places.push_back({folder, origin, &query.wheel_files});
  if (folders.empty())
    places.push_back({environment, origin + ", no site-packages there", &query.wheel_files});
}

std::vector<Place> places_for(const LibraryQuery& query) {
  std::vector<Place> places;
  const std::string variable = home_variable(query.engine);
  if (const char* home = std::getenv(variable.c_str()); home != nullptr && *home != '\0') {
    places.push_back({home, variable, &query.home_files});
    return places;  // who names a home means that one and no other
  }
  if (const char* active = std::getenv("INFEROMETER_PYTHON_PREFIX"))
    add_environment(places, active, "this Python", query);
  if (const char* active = std::getenv("VIRTUAL_ENV"); active != nullptr && *active != '\0')
    add_environment(places, active, "VIRTUAL_ENV", query);
  if (const auto python = build_tree_python())
    add_environment(places, *python, "the build tree's environment", query);
  for (const char* folder :
       {"/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"}) {
    places.push_back({folder, "system", &query.system_files});
  }
  return places;
}

fs::path checked_choice(const fs::path& chosen) {
  std::error_code error;
  if (!fs::exists(chosen, error)) {
    throw Error(Status::Unavailable, "param \"library\": there is no file " + chosen.string(),
                {{"library", chosen.string()}});
  }
  return fs::canonical(chosen);
}

}  // namespace

fs::path locate(const LibraryQuery& query, const fs::path& chosen) {
  if (!chosen.empty()) return checked_choice(chosen);
  std::string searched;
  for (const Place& place : places_for(query)) {
    for (const std::string& pattern : *place.patterns) {
      if (const auto found = find_in(place.folder, pattern)) return fs::canonical(*found);
      searched += fmt::format("\n  {} ({}): {}", (place.folder / pattern).string(), place.origin,
                              found_in(place.folder, pattern));
    }
  }
  throw Error(Status::Unavailable,
              fmt::format("no library of {} found; give param \"library\", set {} or install its "
                          "wheel. Looked for, and found:{}",
                          query.engine, home_variable(query.engine), searched));
}

void* open_library(const fs::path& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* text = ::dlerror();
    throw Error(Status::Unavailable,
                fmt::format("{} can't be opened: {}", path.string(), text != nullptr ? text : "?"),
                {{"library", path.string()}});
  }
  return handle;
}

void* symbol(void* library, const char* name, const fs::path& path, const std::string& what) {
  void* address = ::dlsym(library, name);
  if (address == nullptr) {
    throw Error(Status::Unavailable,
                fmt::format("{} is not {}: it lacks {}", path.string(), what, name),
                {{"library", path.string()}});
  }
  return address;
}

}  // namespace inferometer
