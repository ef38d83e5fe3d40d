// SPDX-License-Identifier: Apache-2.0
#include "core/host.hpp"

#include <string>

#include "core/artifacts.hpp"
#include "core/wall.hpp"

namespace inferometer::core {
namespace {

std::function<void(int, const char*)>& log_sink() {
  static std::function<void(int, const char*)> sink;
  return sink;
}

void log(std::int32_t level, const char* text) {
  if (log_sink()) log_sink()(level, text);
}

// A cache that fails is a slower load, not a failed one: the reason goes to the log.
template <class Body>
std::int32_t quietly(Body&& body) noexcept {
  try {
    return body() ? 1 : 0;
  } catch (const std::exception& error) {
    log(2, error.what());
    return 0;
  }
}

void answer(const inferometer_sink& sink, const std::string& text) {
  sink.write(sink.user, text.data(), text.size());
}

std::int32_t artifact_find(void* cache, const char* kind, inferometer_sink path) {
  return quietly([&] {
    const auto found = static_cast<ArtifactCache*>(cache)->find(kind);
    if (found) answer(path, found->string());
    return found.has_value();
  });
}

std::int32_t artifact_create(void* cache, const char* kind, inferometer_sink path) {
  return quietly([&] {
    answer(path, static_cast<ArtifactCache*>(cache)->create(kind).string());
    return true;
  });
}

std::int32_t artifact_commit(void* cache, const char* kind, const char* temporary,
                             std::int32_t keep, inferometer_sink path) {
  return quietly([&] {
    auto& artifacts = *static_cast<ArtifactCache*>(cache);
    if (keep == 0) {
      artifacts.discard(temporary);
      return false;
    }
    answer(path, artifacts.commit(kind, temporary).string());
    return true;
  });
}

}  // namespace

void set_log(std::function<void(int, const char*)> sink) {
  log_sink() = std::move(sink);
}

const inferometer_host& host_table() {
  static const inferometer_host table = {.size = sizeof(inferometer_host),
                                         .abi = INFEROMETER_ABI,
                                         .log = log,
                                         .artifact_find = artifact_find,
                                         .artifact_create = artifact_create,
                                         .artifact_commit = artifact_commit};
  return table;
}

}  // namespace inferometer::core
