// SPDX-License-Identifier: Apache-2.0
// What a JSON object from strangers must hold, as a table: it checks the object, and the document
// about the object is made from it. Every key is required and no other is allowed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace inferometer {

struct ObjectSpec;

/// What a value must be; made by the functions below.
struct ValueType {
  enum class Kind { Word, Text, Integer, Number, Boolean, Object, Nested, Other };
  enum class Null { Refused, Allowed };
  Kind kind = Kind::Text;
  std::string_view word;  ///< the only text allowed (Word); what people call the type (Other)
  std::int64_t least = 0, most = 0;  ///< of a number; bytes of a text
  const ObjectSpec* spec = nullptr;
  void (*check)(const Json& value) = nullptr;  ///< Other: throws Error{Invalid}
  std::optional<std::size_t> most_items;       ///< given: a list of such values
  Null null = Null::Refused;
};

/// One key of an object.
struct KeySpec {
  std::string_view name;
  ValueType type;
  std::string_view help;  ///< one sentence
};

struct ObjectSpec {
  std::string_view name;
  std::string_view help;
  std::span<const KeySpec> keys;
};

namespace types {
constexpr ValueType word(std::string_view text) {
  return {.kind = ValueType::Kind::Word, .word = text};
}
constexpr ValueType text(std::int64_t most_bytes) {
  return {.kind = ValueType::Kind::Text, .most = most_bytes};
}
constexpr ValueType integer(std::int64_t least, std::int64_t most) {
  return {.kind = ValueType::Kind::Integer, .least = least, .most = most};
}
constexpr ValueType number(std::int64_t least, std::int64_t most) {
  return {.kind = ValueType::Kind::Number, .least = least, .most = most};
}
constexpr ValueType boolean() {
  return {.kind = ValueType::Kind::Boolean};
}
/// With keys of any name.
constexpr ValueType object() {
  return {.kind = ValueType::Kind::Object};
}
constexpr ValueType object_of(const ObjectSpec& spec) {
  return {.kind = ValueType::Kind::Nested, .spec = &spec};
}
/// What only code can check.
constexpr ValueType other(std::string_view name, void (*check)(const Json&)) {
  return {.kind = ValueType::Kind::Other, .word = name, .check = check};
}
constexpr ValueType list_of(ValueType type, std::size_t most_items) {
  type.most_items = most_items;
  return type;
}
constexpr ValueType or_null(ValueType type) {
  type.null = ValueType::Null::Allowed;
  return type;
}
}  // namespace types

/// Throws Error{Invalid, "key 'x': expected ..."} for the first thing that is not as the spec
/// says.
void check_object(const Json& json, const ObjectSpec& spec);

/// "key 'x': expected ...", with the key in the context.
[[noreturn]] void refuse_key(std::string_view key, std::string_view expected);

/// For people: "an integer 1..1000", "a list of at most 1000: text of at most 4096 bytes".
std::string shown(const ValueType& type);

/// {"name", "help", "keys": [{"key", "type", the bounds that it has, "null", "shown", "help"}]}.
Json to_json(const ObjectSpec& spec);

}  // namespace inferometer
