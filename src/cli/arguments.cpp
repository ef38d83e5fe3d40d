// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {
namespace {

std::pair<std::string, std::string> split_pair(const std::string& given) {
  const auto equals = given.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format("-p {}: expected KEY=VALUE", printable(given)), {{"-p", given}});
  }
  if (given.substr(0, equals) == "engine")
    throw UsageError("-p engine: give it by --engine or --engines", {{"-p", given}});
  return {given.substr(0, equals), given.substr(equals + 1)};
}

[[noreturn]] void given_twice(const std::string& key) {
  throw UsageError(fmt::format("-p {}: given twice", printable(key)), {{"-p", key}});
}

std::int64_t parse_integer(std::string_view option, const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) {
    throw UsageError(fmt::format("{}: '{}' is not an integer", option, printable(text)),
                     {{"option", std::string(option)}, {"value", text}});
  }
  return value;
}

}  // namespace

std::vector<std::string> split_list(std::string_view option, std::string_view text) {
  std::vector<std::string> list(1);
  int depth = 0;  // a JSON list is one element
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\,") {
      list.back() += text[++i];
      continue;
    }
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    if (text[i] == ',' && depth <= 0)
      list.emplace_back();
    else
      list.back() += text[i];
  }
  if (std::ranges::find(list, std::string()) != list.end()) {
    throw UsageError(fmt::format("{}: an empty element in '{}'", option, printable(text)),
                     {{"option", std::string(option)}, {"value", std::string(text)}});
  }
  return list;
}

std::vector<std::int64_t> split_integers(std::string_view option, std::string_view text) {
  std::vector<std::int64_t> list;
  for (const auto& element : split_list(option, text))
    list.push_back(parse_integer(option, element));
  return list;
}

Params parse_params(const std::vector<std::string>& given) {
  Params params;
  for (const auto& text : given) {
    auto [key, value] = split_pair(text);
    if (!params.emplace(key, UntypedText{std::move(value)}).second) given_twice(key);
  }
  return params;
}

std::vector<campaign::ParamChoices> parse_choices(const std::vector<std::string>& given) {
  std::vector<campaign::ParamChoices> choices;
  for (const auto& text : given) {
    const auto [key, values] = split_pair(text);
    if (std::ranges::find(choices, key, &campaign::ParamChoices::name) != choices.end())
      given_twice(key);
    choices.push_back({key, {}});
    if (values.empty())
      choices.back().values.emplace_back(UntypedText{});
    else
      for (auto& value : split_list("-p " + key, values))
        choices.back().values.emplace_back(UntypedText{std::move(value)});
  }
  return choices;
}

namespace {

// Where the '=' behind the name stands; npos: there is no name.
std::size_t end_of_name(std::string_view text, const std::vector<std::string>& names) {
  std::size_t longest = 0;
  for (const auto& name : names)
    if (text.starts_with(name) && text.substr(name.size()).starts_with('='))
      longest = std::max(longest, name.size());
  if (longest > 0) return longest;
  const auto equals = text.find('=');
  const bool named = equals != std::string_view::npos && equals > 0 && text.find('/') > equals;
  return named ? equals : std::string_view::npos;
}

}  // namespace

NamedPath parse_named_path(std::string_view option, std::string_view text,
                           const std::vector<std::string>& names) {
  const auto equals = end_of_name(text, names);
  const bool named = equals != std::string_view::npos;
  NamedPath parsed =
      named ? NamedPath{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))}
            : NamedPath{"", std::string(text)};
  if (parsed.path.empty()) {
    throw UsageError(fmt::format("{} {}: expected [NAME=]FILE", option, printable(text)),
                     {{"option", std::string(option)}, {"value", std::string(text)}});
  }
  return parsed;
}

}  // namespace inferometer::cli
