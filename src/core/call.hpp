// SPDX-License-Identifier: Apache-2.0
// Calls through the wall: code + text become Error again, sinks become text, answers are read as
// JSON.
#pragma once

#include <fmt/format.h>

#include <string>

#include "base/json.hpp"
#include "base/text.hpp"
#include "core/wall.hpp"

namespace inferometer::core {

/// A code that we don't know becomes `fallback`.
[[noreturn]] inline void throw_plugin_error(const Plugin& plugin, std::int32_t code,
                                            const char* text, Status fallback) {
  const bool known = code > 0 && code < static_cast<std::int32_t>(Status::Skipped);
  throw Error(
      known ? static_cast<Status>(code) : fallback,
      fmt::format("{}: {}", plugin.name, *text != '\0' ? text : "failed without saying why"),
      {{"engine", plugin.name}});
}

/// `body(error)` returns a code.
template <class Body>
void call(const Plugin& plugin, Body&& body, Status fallback = Status::PredictFailed) {
  constexpr std::size_t kTextBytes = 8192;
  thread_local char text[kTextBytes];
  text[0] = '\0';
  inferometer_error error = {text, kTextBytes};
  const std::int32_t code = body(&error);
  if (code != INFEROMETER_OK) throw_plugin_error(plugin, code, text, fallback);
}

/// `body(sink, error)` returns a code and writes text to the sink.
template <class Body>
std::string ask_text(const Plugin& plugin, Body&& body, Status fallback = Status::PredictFailed) {
  std::string answer;
  const inferometer_sink sink = {&answer, [](void* user, const char* piece, std::size_t size) {
                                   static_cast<std::string*>(user)->append(piece, size);
                                 }};
  call(plugin, [&](inferometer_error* error) { return body(sink, error); }, fallback);
  return answer;
}

/// As ask_text, given to `read` as JSON; an answer that isn't, or that `read` doesn't understand,
/// is the plugin's fault and gets `fault` as its status.
template <class Body, class Read>
auto ask(const Plugin& plugin, Status fault, const char* member, Body&& body, Read&& read) {
  const std::string answer = ask_text(plugin, body, fault);
  const auto bad = [&](const std::exception& error) {
    return Error(
        fault,
        fmt::format("{}: its plugin gave a bad answer: {}", plugin.name, printable(error.what())),
        {{"engine", plugin.name}});
  };
  try {
    return read(parse_json(answer, member));
  } catch (const Error& error) {
    throw bad(error);
  } catch (const Json::exception& error) {
    throw bad(error);
  }
}

}  // namespace inferometer::core
