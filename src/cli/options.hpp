// SPDX-License-Identifier: Apache-2.0
// The options of a subcommand as plain data: declared once, read by the parser and by the help.
// The parser library is known to parse.cpp alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::cli {

struct Option {
  enum class Takes { Nothing, One, Many };
  enum class Needed { No, Yes };
  std::string names;  ///< "-o,--output"; without dashes: a positional argument
  std::string word;   ///< what its value is called in the help: "FILE"
  std::string help;
  Takes takes = Takes::One;
  Needed needed = Needed::No;
  std::function<void(const std::string&)> take;  ///< stores one value; throws UsageError

  bool positional() const { return names.front() != '-'; }
};

class Options {
 public:
  /// `target` must outlive parsing: std::string, a path, an integer, double, std::optional of
  /// those, or a vector of strings (then the option may be repeated).
  template <class Target>
  Option& add(const std::string& names, Target& target, const std::string& word,
              const std::string& help);
  void add_flag(const std::string& names, bool& target, const std::string& help);

  const std::vector<Option>& all() const { return all_; }

 private:
  std::vector<Option> all_;
};

/// Throws UsageError saying what is wrong with the arguments.
void parse(const Options& options, std::vector<std::string> arguments);

void read_value(std::string_view option, const std::string& text, std::string& target);
void read_value(std::string_view option, const std::string& text, std::filesystem::path& target);
void read_value(std::string_view option, const std::string& text, std::int64_t& target);
void read_value(std::string_view option, const std::string& text, std::uint64_t& target);
void read_value(std::string_view option, const std::string& text, double& target);
void read_value(std::string_view option, const std::string& text, std::vector<std::string>& target);
template <class Value>
void read_value(std::string_view option, const std::string& text, std::optional<Value>& target) {
  read_value(option, text, target.emplace());
}

template <class Target>
Option& Options::add(const std::string& names, Target& target, const std::string& word,
                     const std::string& help) {
  constexpr bool many = std::is_same_v<Target, std::vector<std::string>>;
  all_.push_back(
      {.names = names,
       .word = word,
       .help = help,
       .takes = many ? Option::Takes::Many : Option::Takes::One,
       .take = [names, &target](const std::string& text) { read_value(names, text, target); }});
  return all_.back();
}

}  // namespace inferometer::cli
