// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "inferometer/export.hpp"

namespace inferometer {

/// Text whose type is not known yet (from a command line); it is read by the type that the param
/// declares.
struct UntypedText {
  std::string text;
  bool operator==(const UntypedText&) const = default;
};

/// The value of a param. A `bool` is never taken for an integer, nor a string for a number
/// (UntypedText excepted).
class ParamValue : public std::variant<bool, std::int64_t, double, std::string, UntypedText> {
 public:
  using Base = std::variant<bool, std::int64_t, double, std::string, UntypedText>;
  ParamValue(bool value) : Base(value) {}
  ParamValue(int value) : Base(std::int64_t{value}) {}
  ParamValue(std::int64_t value) : Base(value) {}
  ParamValue(double value) : Base(value) {}
  ParamValue(const char* value) : Base(std::string(value)) {}
  ParamValue(std::string value) : Base(std::move(value)) {}
  ParamValue(UntypedText value) : Base(std::move(value)) {}
  const Base& base() const noexcept { return *this; }
};

/// Text as it is shown and stored: true, 8, 0.5, bf16.
INFEROMETER_API std::string to_string(const ParamValue& value);

/// What is given to load: key -> value. docs/params.md lists the unified keys; `inferometer engines
/// NAME` an engine's own.
using Params = std::map<std::string, ParamValue>;

/// What a param may be. Each engine declares its own; the unified ones are declared once in core.
struct ParamSpec {
  enum class Type { Bool, Integer, Real, Text };
  enum class Scope {
    Process,
    Model,
    Call
  };  ///< Process: one value for all loads of this engine in a process
  enum class Affects { Compile, Run };  ///< Compile: part of an artifact's key

  std::string name;
  Type type = Type::Text;
  ParamValue fallback{""};           ///< the value when none is given
  std::vector<std::string> choices;  ///< Text only: the allowed values; empty = any
  std::optional<double> minimum;     ///< numbers only, inclusive
  std::optional<double> maximum;
  bool knob = false;  ///< may a tuner move it
  Scope scope = Scope::Model;
  Affects affects = Affects::Run;
  std::string help;  ///< one sentence
};

}  // namespace inferometer
