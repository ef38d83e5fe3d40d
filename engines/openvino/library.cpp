// SPDX-License-Identifier: Apache-2.0
#include "library.hpp"

#include <cstdlib>
#include <map>
#include <mutex>
#include <string_view>

#include "base/locator.hpp"

namespace inferometer::openvino {
namespace {

const LibraryQuery& query() {
  static const LibraryQuery query = {
      .engine = "openvino",
      .wheel_files = {"openvino/libs/libopenvino_c.so.*"},
      .home_files = {"runtime/lib/intel64/libopenvino_c.so*", "libs/libopenvino_c.so*",
                     "lib/libopenvino_c.so*", "libopenvino_c.so*"},
      .system_files = {"libopenvino_c.so*"},
  };
  return query;
}

// The CPU plugin takes the CPUs of the thread that first asks it for anything as those of the
// machine, for as long as the process lives. That must not be a load, which is confined to its
// budget: a later, wider one would get the narrow one's CPUs.
void see_all_cpus(const Library& library) {
  ov_core_t* core = nullptr;
  library.check(library.core_create(&core), Status::Unavailable);
  const std::unique_ptr<ov_core_t, void (*)(ov_core_t*)> owned(core, library.core_free);
  char* name = nullptr;
  library.check(library.core_get_property(core, "CPU", "FULL_DEVICE_NAME", &name),
                Status::Unavailable);
  library.free(name);
}

Library open(const std::filesystem::path& path) {
#ifdef INFEROMETER_SANITIZED
  // TBB opens its allocator with RTLD_DEEPBIND, on which AddressSanitizer aborts, unless told so.
  ::setenv("TBB_ENABLE_SANITIZERS", "1", 0);
#endif
  void* handle = open_library(path);
  Library opened{.path = path};
#define INFEROMETER_OPENVINO_FIND(name)                  \
  opened.name = reinterpret_cast<decltype(opened.name)>( \
      symbol(handle, "ov_" #name, path, "a library of OpenVINO's C API, 2026 or newer"));
  INFEROMETER_OPENVINO_FUNCTIONS(INFEROMETER_OPENVINO_FIND)
#undef INFEROMETER_OPENVINO_FIND
  ov_version_t version{};
  opened.check(opened.get_openvino_version(&version), Status::Unavailable);
  opened.version = version.buildNumber;
  opened.version_free(&version);
  see_all_cpus(opened);
  return opened;
}

Status status_of(ov_status_e status, std::string_view text, Status fallback) {
  if (text.find("bad_alloc") != std::string_view::npos) return Status::OutOfMemory;
  if (status == NOT_IMPLEMENTED) return Status::Unsupported;
  // The frontends' list of operators that nothing translates comes with the status of a bad file.
  if (text.find("unconverted_ops_report") != std::string_view::npos) return Status::Unsupported;
  return fallback;
}

// OpenVINO reports where each layer rethrew, outermost first; what went wrong is at the end.
std::string innermost(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.starts_with("Exception from ")) continue;
    if (!kept.empty()) kept += "; ";
    kept += line;
  }
  return kept;
}

}  // namespace

void Library::check(ov_status_e status, Status fallback) const {
  if (status == OK) return;
  const char* raw = get_last_err_msg();
  const std::string text = raw != nullptr ? innermost(raw) : std::string();
  if (raw != nullptr) free(raw);
  throw Error(status_of(status, text, fallback),
              text.empty() ? "status " + std::to_string(status) : text);
}

const Library& library(const std::filesystem::path& chosen) {
  static std::mutex mutex;
  static auto& opened = *new std::map<std::filesystem::path, Library>();
  const std::filesystem::path path = locate(query(), chosen);
  const std::lock_guard lock(mutex);
  const auto found = opened.find(path);
  if (found != opened.end()) return found->second;
  return opened.emplace(path, open(path)).first->second;
}

}  // namespace inferometer::openvino
