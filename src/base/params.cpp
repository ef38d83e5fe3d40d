// SPDX-License-Identifier: Apache-2.0
#include "base/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.hpp"
#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer {
namespace {

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return number;
}

// Untyped text read as the declared type; nullopt when it isn't one.
std::optional<ParamValue> read_as(ParamSpec::Type type, const std::string& text) {
  switch (type) {
    case ParamSpec::Type::Bool:
      if (text == "true" || text == "1" || text == "on") return ParamValue(true);
      if (text == "false" || text == "0" || text == "off") return ParamValue(false);
      return std::nullopt;
    case ParamSpec::Type::Integer:
      if (const auto number = parse_number<std::int64_t>(text)) return ParamValue(*number);
      return std::nullopt;
    case ParamSpec::Type::Real:
      if (const auto number = parse_number<double>(text)) return ParamValue(*number);
      return std::nullopt;
    case ParamSpec::Type::Text:
      return ParamValue(text);
  }
  return std::nullopt;
}

bool in_range(const ParamSpec& spec, double number) {
  return std::isfinite(number) && (!spec.minimum || number >= *spec.minimum) &&
         (!spec.maximum || number <= *spec.maximum);
}

bool in_domain(const ParamSpec& spec, const ParamValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return in_range(spec, static_cast<double>(*integer));
  if (const auto* real = std::get_if<double>(&value)) return in_range(spec, *real);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return spec.choices.empty() ||
           std::find(spec.choices.begin(), spec.choices.end(), *text) != spec.choices.end();
  }
  return true;
}

// Bytes that aren't UTF-8 replaced.
std::string mended(const std::string& text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

[[noreturn]] void unknown_name(std::span<const ParamSpec> specs, const std::string& name) {
  std::vector<std::string> names;
  for (const ParamSpec& spec : specs) names.push_back(spec.name);
  const std::string near = nearest(name, names);
  Error::Context context = {{"param", name}};
  std::string message = fmt::format("unknown param \"{}\"", printable(name));
  if (!near.empty()) {
    context["nearest"] = near;
    message += fmt::format("; did you mean \"{}\"?", near);
  } else {
    message += "; known: " + join(names);
  }
  throw Error(Status::Invalid, message, context);
}

const char* type_text(ParamSpec::Type type) {
  switch (type) {
    case ParamSpec::Type::Bool:
      return "true or false";
    case ParamSpec::Type::Integer:
      return "integer";
    case ParamSpec::Type::Real:
      return "number";
    case ParamSpec::Type::Text:
      return "text";
  }
  return "";
}

}  // namespace

std::string to_string(const ParamValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, UntypedText>) {
          return held.text;
        } else {
          return fmt::format("{}", held);
        }
      },
      value.base());
}

std::string domain_text(const ParamSpec& spec) {
  if (!spec.choices.empty()) return "one of " + join(spec.choices);
  std::string text = type_text(spec.type);
  if (spec.minimum && spec.maximum)
    return text + fmt::format(" {}..{}", *spec.minimum, *spec.maximum);
  if (spec.minimum) return text + fmt::format(" >= {}", *spec.minimum);
  if (spec.maximum) return text + fmt::format(" <= {}", *spec.maximum);
  return text;
}

std::optional<ParamValue> typed(const ParamSpec& spec, const ParamValue& value) {
  if (const auto* text = std::get_if<UntypedText>(&value)) return read_as(spec.type, text->text);
  switch (spec.type) {
    case ParamSpec::Type::Bool:
      return std::holds_alternative<bool>(value) ? std::optional(value) : std::nullopt;
    case ParamSpec::Type::Integer:
      return std::holds_alternative<std::int64_t>(value) ? std::optional(value) : std::nullopt;
    case ParamSpec::Type::Real:
      if (const auto* integer = std::get_if<std::int64_t>(&value))
        return ParamValue(static_cast<double>(*integer));
      return std::holds_alternative<double>(value) ? std::optional(value) : std::nullopt;
    case ParamSpec::Type::Text:
      return std::holds_alternative<std::string>(value) ? std::optional(value) : std::nullopt;
  }
  return std::nullopt;
}

ParamValue checked(const ParamSpec& spec, const ParamValue& value) {
  const auto read = typed(spec, value);
  if (!read || !in_domain(spec, *read)) {
    const std::string given = printable(to_string(value));
    throw Error(
        Status::Invalid,
        fmt::format("param \"{}\" = {}: expected {}", spec.name,
                    std::holds_alternative<std::string>(value) ? "\"" + given + "\"" : given,
                    domain_text(spec)),
        {{"param", spec.name}, {"value", given}, {"expected", domain_text(spec)}});
  }
  return *read;
}

void require_utf8(const Params& given) {
  for (const auto& [name, value] : given) {
    try {
      (void)Json({{name, to_json(value)}}).dump();
    } catch (const Json::exception&) {
      throw Error(Status::Invalid, fmt::format("param \"{}\": its text is not UTF-8", mended(name)),
                  {{"param", mended(name)}});
    }
  }
}

Params resolve(std::span<const ParamSpec> specs, const Params& given) {
  Params resolved;
  for (const ParamSpec& spec : specs) resolved.insert_or_assign(spec.name, spec.fallback);
  for (const auto& [name, value] : given) {
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const ParamSpec& s) { return s.name == name; });
    if (spec == specs.end()) unknown_name(specs, name);
    resolved.insert_or_assign(name, checked(*spec, value));
  }
  return resolved;
}

}  // namespace inferometer
