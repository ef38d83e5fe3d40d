// SPDX-License-Identifier: Apache-2.0
#include "cli/envelope.hpp"

namespace inferometer::cli {

std::string_view version() {
  return INFEROMETER_VERSION;
}

Json envelope(std::string_view about, Status status, Json data) {
  return {{"schema", "inferometer." + std::string(about) + "/1"},
          {"version", version()},
          {"status", to_string(status)},
          {"data", std::move(data)}};
}

Json error_envelope(Status status, std::string_view message, const Error::Context& context) {
  return envelope(
      "error", status,
      {{"message", message}, {"context", context.empty() ? Json::object() : Json(context)}});
}

std::string printed(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace inferometer::cli
