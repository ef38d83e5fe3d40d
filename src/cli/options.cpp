// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {
namespace {

template <class Number>
void read_number(std::string_view option, const std::string& text, const char* kind,
                 Number& target) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, target);
  if (error == std::errc{} && stop == end && !text.empty()) return;
  throw UsageError(fmt::format("{}: '{}' is not {}", option, printable(text), kind),
                   {{"option", std::string(option)}, {"value", text}});
}

}  // namespace

void Options::add_flag(const std::string& names, bool& target, const std::string& help) {
  all_.push_back({.names = names,
                  .help = help,
                  .takes = Option::Takes::Nothing,
                  .take = [&target](const std::string&) { target = true; }});
}

void read_value(std::string_view, const std::string& text, std::string& target) {
  target = text;
}

void read_value(std::string_view, const std::string& text, std::filesystem::path& target) {
  target = text;
}

void read_value(std::string_view option, const std::string& text, std::int64_t& target) {
  read_number(option, text, "an integer", target);
}

void read_value(std::string_view option, const std::string& text, std::uint64_t& target) {
  read_number(option, text, "an integer of at least 0", target);
}

void read_value(std::string_view option, const std::string& text, double& target) {
  read_number(option, text, "a number", target);
}

void read_value(std::string_view, const std::string& text, std::vector<std::string>& target) {
  target.push_back(text);
}

}  // namespace inferometer::cli
