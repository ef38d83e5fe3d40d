// SPDX-License-Identifier: Apache-2.0
#include "library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string_view>

#include "base/locator.hpp"
#include "inferometer/engine_plugin.hpp"

namespace inferometer::onnxruntime {
namespace {

constexpr std::uint32_t kOldestApi = 18;  // AddExternalInitializersFromFilesInMemory

const LibraryQuery& query() {
  static const LibraryQuery query = {
      .engine = "onnxruntime",
      .wheel_files = {"onnxruntime/capi/libonnxruntime.so.*"},
      .home_files = {"lib/libonnxruntime.so*", "capi/libonnxruntime.so.*", "libonnxruntime.so*"},
      .system_files = {"libonnxruntime.so*"},
  };
  return query;
}

void forward_log(void*, OrtLoggingLevel level, const char* category, const char*, const char*,
                 const char* message) {
  plugin::log(std::min<int>(level, 3), fmt::format("onnxruntime {}: {}", category, message));
}

// Version 1.N has API N. Asking for more than the library has makes it print to stderr.
std::uint32_t api_of(std::string_view version) {
  std::uint32_t minor = 0;
  if (!version.starts_with("1.")) return 0;
  std::from_chars(version.data() + 2, version.data() + version.size(), minor);
  return minor;
}

Library open(const std::filesystem::path& path) {
  // On by default since 1.29: a thread, a folder in $HOME and DNS queries. Only this, before the
  // library's first call, stops all three.
  ::setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  void* handle = open_library(path);
  const auto entry = reinterpret_cast<const OrtApiBase* (*)()>(
      symbol(handle, "OrtGetApiBase", path, "ONNX Runtime"));
  Library opened{.path = path, .version = entry()->GetVersionString()};
  const std::uint32_t newest = api_of(opened.version);
  if (newest >= kOldestApi) {
    opened.api = entry()->GetApi(std::min<std::uint32_t>(newest, ORT_API_VERSION));
  }
  if (opened.api == nullptr) {
    throw Error(Status::Unavailable,
                fmt::format("{} is ONNX Runtime {}; 1.{} or newer is needed", path.string(),
                            opened.version, kOldestApi),
                {{"library", path.string()}});
  }
  // Errors come back as statuses; its log would only say them a second time.
  opened.check(opened.api->CreateEnvWithCustomLogger(forward_log, nullptr, ORT_LOGGING_LEVEL_FATAL,
                                                     "inferometer", &opened.env),
               Status::Unavailable);
  return opened;
}

Status status_of(OrtErrorCode code, std::string_view text, Status fallback) {
  if (text.find("bad_alloc") != std::string_view::npos ||
      text.find("Failed to allocate memory") != std::string_view::npos) {
    return Status::OutOfMemory;
  }
  switch (code) {
    case ORT_NO_SUCHFILE:
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
      return Status::Invalid;
    case ORT_NOT_IMPLEMENTED:
      return Status::Unsupported;
    default:
      return fallback;
  }
}

}  // namespace

void Library::check(OrtStatus* status, Status fallback) const {
  if (status == nullptr) return;
  const Owned<OrtStatus> owned(status, api->ReleaseStatus);
  const std::string text = api->GetErrorMessage(status);
  throw Error(status_of(api->GetErrorCode(status), text, fallback), text);
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

}  // namespace inferometer::onnxruntime
