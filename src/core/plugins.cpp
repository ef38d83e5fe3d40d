// SPDX-License-Identifier: Apache-2.0
// Finding and opening plugins, and asking them what they are.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <sstream>

#include "base/file.hpp"
#include "base/text.hpp"
#include "core/call.hpp"
#include "core/hash.hpp"
#include "core/host.hpp"
#include "core/wall.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "inferometer_engine_";

// The folder of the library or program that this code is linked into.
fs::path own_folder() {
  Dl_info self{};
  if (::dladdr(reinterpret_cast<void*>(&own_folder), &self) != 0 && self.dli_fname != nullptr &&
      fs::path(self.dli_fname).is_absolute()) {
    return fs::path(self.dli_fname).parent_path();
  }
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error)
      .parent_path();  // a program's own name may be relative
}

std::vector<fs::path> plugin_folders() {
  std::vector<fs::path> folders;
  if (const char* path = std::getenv("INFEROMETER_PLUGIN_PATH")) {
    std::stringstream stream(path);
    for (std::string folder; std::getline(stream, folder, ':');) {
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  const fs::path own = own_folder();
  for (const fs::path& folder : {own / "inferometer", own / "../lib/inferometer"}) {
    std::error_code error;
    if (fs::is_directory(folder, error)) folders.push_back(fs::canonical(folder));
  }
  return folders;
}

Plugin refused(Plugin plugin, std::string reason) {
  plugin.reason = std::move(reason);
  plugin.table = nullptr;
  return plugin;
}

// "engines.txt" of a plugin folder: the project's engines, a line each, in the order of
// engine=auto.
std::vector<Plugin> listed(const fs::path& folder) {
  std::vector<Plugin> list;
  std::error_code error;
  const fs::path file = folder / "engines.txt";
  if (!fs::exists(file, error)) return list;
  std::stringstream stream(read_text(file, 1 << 16));
  for (std::string line; std::getline(stream, line);) list.push_back({.name = line});
  return list;
}

std::vector<fs::path> plugin_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && entry.path().extension() == ".so")
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void add(std::vector<Plugin>& found, Plugin plugin) {
  const auto same = std::find_if(found.begin(), found.end(),
                                 [&](const Plugin& p) { return p.name == plugin.name; });
  if (same == found.end()) {
    found.push_back(std::move(plugin));
  } else if (same->path.empty() && !plugin.path.empty()) {
    *same = std::move(plugin);  // the listed place in the order, filled
  }
}

std::vector<Plugin> discover() {
  std::vector<Plugin> found;
  for (const fs::path& folder : plugin_folders()) {
    for (Plugin& plugin : listed(folder)) add(found, std::move(plugin));
    for (const fs::path& file : plugin_files(folder)) add(found, open_plugin(file));
  }
  for (Plugin& plugin : found) {
    if (plugin.table == nullptr && plugin.reason.empty()) plugin.reason = "not built";
  }
  return found;
}

bool table_is_whole(const inferometer_engine& table) {
  return table.size >= offsetof(inferometer_engine, run) + sizeof table.run &&
         table.name != nullptr && table.probe != nullptr && table.describe_params != nullptr &&
         table.load != nullptr && table.open != nullptr && table.bind != nullptr &&
         table.run != nullptr;
}

}  // namespace

Plugin open_plugin(const fs::path& path) {
  const std::string stem = path.stem().string();
  Plugin plugin{.name = stem.starts_with(kPrefix) ? stem.substr(std::string(kPrefix).size()) : stem,
                .path = path};
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* text = ::dlerror();
    return refused(
        plugin, fmt::format("{} can't be opened: {}", path.string(), text != nullptr ? text : "?"));
  }
  const auto entry =
      reinterpret_cast<inferometer_engine_entry>(::dlsym(library, INFEROMETER_ENGINE_SYMBOL));
  if (entry == nullptr) {
    return refused(plugin, fmt::format("{} is no engine plugin: it lacks {}", path.string(),
                                       INFEROMETER_ENGINE_SYMBOL));
  }
  const inferometer_engine* table = entry(&host_table());
  if (table == nullptr || table->abi != INFEROMETER_ABI) {
    return refused(plugin, fmt::format("{} speaks another ABI than {}: rebuild it", path.string(),
                                       INFEROMETER_ABI));
  }
  if (!table_is_whole(*table))
    return refused(plugin, path.string() + ": its table lacks members that every plugin needs");
  plugin.name = table->name;
  plugin.table = table;
  return plugin;
}

const std::vector<Plugin>& plugins() {
  static const std::vector<Plugin> found = discover();
  return found;
}

const Plugin& plugin_named(const std::string& name, const std::vector<Plugin>& among) {
  std::vector<std::string> names;
  for (const Plugin& plugin : among) {
    names.push_back(plugin.name);
    if (plugin.name != name) continue;
    if (plugin.table != nullptr) return plugin;
    throw Error(Status::Unavailable, fmt::format("engine \"{}\": {}", name, plugin.reason),
                {{"engine", name}});
  }
  const std::string near = nearest(name, names);
  throw Error(
      Status::Invalid,
      fmt::format("unknown engine \"{}\"; {}", printable(name),
                  near.empty() ? "known: " + join(names) : "did you mean \"" + near + "\"?"),
      {{"param", "engine"}, {"value", name}, {"nearest", near}});
}

std::vector<ParamSpec> own_params(const Plugin& plugin) {
  return ask(
      plugin, Status::Unavailable, "describe_params",
      [&](auto sink, auto error) { return plugin.table->describe_params(sink, error); },
      [](const Json& list) {
        std::vector<ParamSpec> specs;
        for (const Json& spec : list) specs.push_back(param_spec_from_json(spec));
        return specs;
      });
}

ProbeAnswer probe(const Plugin& plugin, const std::string& library) {
  const std::string settings = Json({{"library", library}}).dump();
  ProbeAnswer answer = ask(
      plugin, Status::Unavailable, "probe",
      [&](auto sink, auto error) { return plugin.table->probe(settings.c_str(), sink, error); },
      [](const Json& json) {
        ProbeAnswer read;
        read.status.version = json.value("version", std::string());
        read.status.library = json.value("library", std::string());
        read.status.devices = json.value("devices", std::vector<std::string>{});
        read.status.formats = json.value("formats", std::vector<std::string>{});
        read.synthetic = json.value("synthetic", false);
        return read;
      });
  EngineStatus& status = answer.status;
  status.name = plugin.name;
  status.available = true;
  if (!status.library.empty()) status.library_hash = file_hash(status.library);
  status.params = own_params(plugin);
  return answer;
}

}  // namespace inferometer::core
