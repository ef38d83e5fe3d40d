// SPDX-License-Identifier: Apache-2.0
#include "base/object_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

using Kind = ValueType::Kind;

bool fits_integer(const Json& value, const ValueType& type) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::max<std::int64_t>(0, type.most)))
    return false;
  const auto number = value.get<std::int64_t>();
  return type.least <= number && number <= type.most;
}

bool fits_number(const Json& value, const ValueType& type) {
  if (!value.is_number()) return false;
  const auto number = value.get<double>();
  return static_cast<double>(type.least) <= number && number <= static_cast<double>(type.most);
}

bool fits_text(const Json& value, const ValueType& type) {
  return value.is_string() &&
         value.get_ref<const std::string&>().size() <= static_cast<std::size_t>(type.most);
}

// Records and what code checks tell more than whether they fit: they throw.
bool fits(const Json& value, const ValueType& type) {
  switch (type.kind) {
    case Kind::Word:
      return value.is_string() && value.get_ref<const std::string&>() == type.word;
    case Kind::Text:
      return fits_text(value, type);
    case Kind::Integer:
      return fits_integer(value, type);
    case Kind::Number:
      return fits_number(value, type);
    case Kind::Boolean:
      return value.is_boolean();
    case Kind::Object:
      return value.is_object();
    case Kind::Nested:
      if (value.is_object()) check_object(value, *type.spec);
      return value.is_object();
    case Kind::Other:
      type.check(value);
      return true;
  }
  return false;
}

void check_value(const Json& value, const KeySpec& key) {
  if (value.is_null() && key.type.null == ValueType::Null::Allowed) return;
  const auto refuse = [&] { refuse_key(key.name, shown(key.type)); };
  if (!key.type.most_items) {
    if (!fits(value, key.type)) refuse();
    return;
  }
  if (!value.is_array() || value.size() > *key.type.most_items) refuse();
  for (const auto& each : value)
    if (!fits(each, key.type)) refuse();
}

std::string_view name_of(const ValueType& type) {
  constexpr std::string_view kNames[] = {"word",    "text",   "integer", "number",
                                         "boolean", "object", "",        ""};
  if (type.kind == Kind::Nested) return type.spec->name;
  if (type.kind == Kind::Other) return type.word;
  return kNames[static_cast<std::size_t>(type.kind)];
}

std::string shown_one(const ValueType& type) {
  switch (type.kind) {
    case Kind::Word:
      return fmt::format("\"{}\"", type.word);
    case Kind::Text:
      return fmt::format("text of at most {} bytes", type.most);
    case Kind::Integer:
      return fmt::format("an integer {}..{}", type.least, type.most);
    case Kind::Number:
      return fmt::format("a number {}..{}", type.least, type.most);
    case Kind::Boolean:
      return "true or false";
    case Kind::Object:
      return "an object";
    default:
      return std::string(name_of(type));
  }
}

Json key_json(const KeySpec& key) {
  const auto& type = key.type;
  Json json{{"key", key.name}, {"type", name_of(type)}};
  if (type.kind == Kind::Word) json["word"] = type.word;
  if (type.kind == Kind::Text) json["most_bytes"] = type.most;
  if (type.kind == Kind::Integer || type.kind == Kind::Number) {
    json["least"] = type.least;
    json["most"] = type.most;
  }
  json["list"] = type.most_items.has_value();
  if (type.most_items) json["most_items"] = *type.most_items;
  json["null"] = type.null == ValueType::Null::Allowed;
  json["shown"] = shown(type);
  json["help"] = key.help;
  return json;
}

}  // namespace

void refuse_key(std::string_view key, std::string_view expected) {
  throw Error(Status::Invalid, fmt::format("key '{}': expected {}", printable(key), expected),
              {{"key", printable(key)}});
}

void check_object(const Json& json, const ObjectSpec& spec) {
  if (!json.is_object()) refuse_key(spec.name, "an object");
  for (const auto& key : spec.keys)
    if (!json.contains(std::string(key.name))) refuse_key(key.name, "to be present");
  for (const auto& [name, value] : json.items()) {
    const auto key = std::ranges::find(spec.keys, std::string_view(name), &KeySpec::name);
    if (key == spec.keys.end()) refuse_key(name, fmt::format("no such key in {}", spec.name));
    check_value(value, *key);
  }
}

std::string shown(const ValueType& type) {
  auto text = shown_one(type);
  if (type.most_items) text = fmt::format("a list of at most {}: {}", *type.most_items, text);
  if (type.null == ValueType::Null::Allowed) text += ", or null";
  return text;
}

Json to_json(const ObjectSpec& spec) {
  auto keys = Json::array();
  for (const auto& key : spec.keys) keys.push_back(key_json(key));
  return {{"name", spec.name}, {"help", spec.help}, {"keys", std::move(keys)}};
}

}  // namespace inferometer
