// SPDX-License-Identifier: Apache-2.0
// inferometer_worker: holds one model for a parent process.
#include <fmt/format.h>

#include <cstdio>

#include "base/cpu.hpp"
#include "core/runner.hpp"
#include "core/wall.hpp"
#include "measure/canary.hpp"
#include "process/worker_main.hpp"

namespace {

using namespace inferometer;

EngineStatus probe(const std::string& engine, const std::string& library) {
  try {
    return core::probe(core::plugin_named(engine), library).status;
  } catch (const Error& error) {
    return {.name = engine, .available = false, .reason = error.what()};
  }
}

/// One for the life of the worker: its buffers and threads are part of what is repeated.
Json canary(const Json& request) {
  static measure::Canary instance(static_cast<int>(affinity().size()));
  return instance.answer(request);
}

void log_line(int level, const char* text) {
  static constexpr const char* kLevels[] = {"debug", "info", "warning", "error"};
  const bool known = level >= 0 && level < 4;
  std::fprintf(stderr, "%s: %s\n", known ? kLevels[level] : "log", text);
}

}  // namespace

int main(int argc, char** argv) {
  core::set_log(log_line);
  return process::worker_main(argc, argv,
                              {.load = core::load_local, .probe = probe, .canary = canary});
}
