// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

constexpr int kDeepest = 64;
// Keys are looked for one after the other as an object grows: of a stranger's million keys each
// would be compared with all before it.
constexpr int kMostKeys = 4096;

// One spelling of each enum, in JSON and in messages.
constexpr std::pair<ParamSpec::Type, const char*> kTypes[] = {{ParamSpec::Type::Bool, "bool"},
                                                              {ParamSpec::Type::Integer, "integer"},
                                                              {ParamSpec::Type::Real, "real"},
                                                              {ParamSpec::Type::Text, "text"}};
constexpr std::pair<ParamSpec::Scope, const char*> kScopes[] = {
    {ParamSpec::Scope::Process, "process"},
    {ParamSpec::Scope::Model, "model"},
    {ParamSpec::Scope::Call, "call"}};
constexpr std::pair<ParamSpec::Affects, const char*> kAffects[] = {
    {ParamSpec::Affects::Compile, "compile"}, {ParamSpec::Affects::Run, "run"}};

template <class Enum, std::size_t N>
const char* word_of(const std::pair<Enum, const char*> (&rows)[N], Enum value) {
  for (const auto& row : rows) {
    if (row.first == value) return row.second;
  }
  return "";
}

template <class Enum, std::size_t N>
Enum enum_of(const std::pair<Enum, const char*> (&rows)[N], const std::string& word) {
  for (const auto& row : rows) {
    if (row.second == word) return row.first;
  }
  throw Error(Status::Invalid, "param description: unknown word \"" + printable(word) + "\"");
}

std::optional<double> optional_number(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  std::array<int, kDeepest + 2> keys{};  // of the object that is open, by depth
  const auto bounded = [&](int depth, Json::parse_event_t event, Json&) {
    if (depth > kDeepest) {
      throw Error(Status::Invalid, fmt::format("{}: nested deeper than {}", what, kDeepest));
    }
    if (event == Json::parse_event_t::object_start) keys[static_cast<std::size_t>(depth) + 1] = 0;
    if (event == Json::parse_event_t::key && ++keys[static_cast<std::size_t>(depth)] > kMostKeys) {
      throw Error(Status::Invalid,
                  fmt::format("{}: an object with more than {} keys", what, kMostKeys));
    }
    return true;
  };
  try {
    return Json::parse(text, bounded);
  } catch (const Json::exception& error) {
    throw Error(Status::Invalid, fmt::format("{}: not JSON: {}", what, printable(error.what())));
  }
}

Json to_json(const ParamValue& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, UntypedText>) {
          return {{"untyped", held.text}};
        } else {
          return held;
        }
      },
      value.base());
}

ParamValue param_value_from_json(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object() && json.size() == 1 && json.contains("untyped") &&
      json.at("untyped").is_string())
    return UntypedText{json.at("untyped").get<std::string>()};
  throw Error(Status::Invalid,
              "a param is a boolean, number or text, not " + printable(json.dump()));
}

Json to_json(const Params& params) {
  Json json = Json::object();
  for (const auto& [name, value] : params) json[name] = to_json(value);
  return json;
}

Params params_from_json(const Json& json) {
  if (!json.is_object()) throw Error(Status::Invalid, "params: an object is expected");
  Params params;
  for (const auto& [name, value] : json.items()) params.emplace(name, param_value_from_json(value));
  return params;
}

Json to_json(const ParamSpec& spec) {
  Json json = {{"name", spec.name},
               {"type", word_of(kTypes, spec.type)},
               {"default", to_json(spec.fallback)}};
  if (!spec.choices.empty()) json["choices"] = spec.choices;
  if (spec.minimum) json["min"] = *spec.minimum;
  if (spec.maximum) json["max"] = *spec.maximum;
  json["knob"] = spec.knob;
  json["scope"] = word_of(kScopes, spec.scope);
  json["affects"] = word_of(kAffects, spec.affects);
  json["help"] = spec.help;
  return json;
}

ParamSpec param_spec_from_json(const Json& json) {
  try {
    ParamSpec spec;
    spec.name = json.at("name").get<std::string>();
    spec.type = enum_of(kTypes, json.at("type").get<std::string>());
    spec.fallback = param_value_from_json(json.at("default"));
    spec.choices = json.value("choices", std::vector<std::string>{});
    spec.minimum = optional_number(json, "min");
    spec.maximum = optional_number(json, "max");
    spec.knob = json.value("knob", false);
    spec.scope = enum_of(kScopes, json.value("scope", std::string("model")));
    spec.affects = enum_of(kAffects, json.value("affects", std::string("run")));
    spec.help = json.value("help", std::string());
    return spec;
  } catch (const Json::exception& error) {
    throw Error(Status::Invalid, std::string("param description: ") + printable(error.what()));
  }
}

}  // namespace inferometer
