// SPDX-License-Identifier: Apache-2.0
#include "refusals.hpp"

#include <filesystem>
#include <string>

#include "options.hpp"

namespace inferometer::onnxruntime {
namespace {

constexpr std::uintmax_t kMostBytes = 1ULL << 30;

std::string between(std::string_view text, std::string_view before, std::string_view after) {
  const auto start = text.find(before);
  if (start == std::string_view::npos) return "";
  const auto from = start + before.size();
  const auto end = text.find(after, from);
  return end == std::string_view::npos ? "" : std::string(text.substr(from, end - from));
}

Owned<OrtSessionOptions> plain_options(const Library& library) {
  auto options =
      own<OrtSessionOptions>(library, library.api->ReleaseSessionOptions,
                             [&](auto** out) { return library.api->CreateSessionOptions(out); });
  library.check(library.api->SetSessionGraphOptimizationLevel(options.get(), ORT_DISABLE_ALL),
                Status::LoadFailed);
  library.check(library.api->SetIntraOpNumThreads(options.get(), 1), Status::LoadFailed);
  library.check(
      library.api->AddSessionConfigEntry(options.get(), "session.disable_prepacking", "1"),
      Status::LoadFailed);
  return options;
}

}  // namespace

std::optional<std::vector<plugin::Refusal>> refusals(const Library& library,
                                                     const plugin::LoadRequest& request) {
  std::error_code error;
  if (request.path.empty() || std::filesystem::file_size(request.path, error) > kMostBytes)
    return std::nullopt;
  try {
    const auto options = plain_options(library);
    own<OrtSession>(library, library.api->ReleaseSession, [&](auto** out) {
      return library.api->CreateSession(library.env, request.path.c_str(), options.get(), out);
    });
    return std::vector<plugin::Refusal>();
  } catch (const Error& refused) {
    if (refused.code() == Status::OutOfMemory) throw;
    return std::vector<plugin::Refusal>{refusal_of(refused.what())};
  }
}

plugin::Refusal refusal_of(std::string_view message) {
  // "Could not find an implementation for Max(13) node with name 'm'"
  // "... Fatal error: com.example:Op(-1) is not a registered function/op"
  plugin::Refusal refusal{.node = between(message, "node with name '", "'"),
                          .op = between(message, "implementation for ", "("),
                          .reason = std::string(message)};
  if (refusal.op.empty()) refusal.op = between(message, "Fatal error: ", "(");
  return refusal;
}

}  // namespace inferometer::onnxruntime
