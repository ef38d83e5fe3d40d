// SPDX-License-Identifier: Apache-2.0
#include "refusals.hpp"

#include <filesystem>
#include <string>

namespace inferometer::openvino {
namespace {

constexpr std::uintmax_t kMostBytes = 1ULL << 30;

/// "Det-22, Odd-1" up to the next ';' -> those names, without versions.
void add_listed(std::string_view list, const std::string& reason,
                std::vector<plugin::Refusal>& found) {
  list = list.substr(0, list.find(';'));
  while (!list.empty()) {
    const auto end = list.find(", ");
    const auto item = list.substr(0, end);
    found.push_back({"", std::string(item.substr(0, item.rfind('-'))), reason});
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 2);
  }
}

}  // namespace

std::optional<std::vector<plugin::Refusal>> refusals(const Library& library,
                                                     const plugin::LoadRequest& request) {
  std::error_code error;
  if (request.path.empty() || std::filesystem::file_size(request.path, error) > kMostBytes)
    return std::nullopt;
  try {
    const auto core = own<ov_core_t>(library, library.core_free,
                                     [&](auto** out) { return library.core_create(out); });
    own<ov_model_t>(
        library, library.model_free,
        [&](auto** out) {
          return library.core_read_model(core.get(), request.path.c_str(), nullptr, out);
        },
        Status::LoadFailed);
    return std::nullopt;
  } catch (const Error& refused) {
    if (refused.code() == Status::OutOfMemory) throw;
    return refusals_of(refused.what());
  }
}

std::vector<plugin::Refusal> refusals_of(std::string_view message) {
  constexpr std::string_view kUnknown = "No conversion rule found for operations: ";
  constexpr std::string_view kFailed = "Conversion is failed for: ";
  std::vector<plugin::Refusal> found;
  if (const auto at = message.find(kUnknown); at != std::string_view::npos)
    add_listed(message.substr(at + kUnknown.size()), "OpenVINO has no translation of it", found);
  if (const auto at = message.find(kFailed); at != std::string_view::npos)
    add_listed(message.substr(at + kFailed.size()), std::string(message), found);
  if (found.empty()) found.push_back({"", "", std::string(message)});
  return found;
}

}  // namespace inferometer::openvino
