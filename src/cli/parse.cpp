// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {
namespace {

void declare(CLI::App& app, const Option& option) {
  if (option.takes == Option::Takes::Nothing) {
    app.add_flag_callback(option.names, [&option] { option.take(""); });
    return;
  }
  const auto take_all = [&option](const CLI::results_t& values) {
    for (const auto& value : values) option.take(value);
    return true;
  };
  CLI::Option* declared = app.add_option(option.names, take_all);
  declared->required(option.needed == Option::Needed::Yes);
  if (option.takes != Option::Takes::Many) return;
  declared->expected(1, CLI::detail::expected_max_vector_size);
  // A repeatable option takes one value each time: it must not swallow what follows.
  declared->allow_extra_args(option.positional());
}

}  // namespace

void parse(const Options& options, std::vector<std::string> arguments) {
  CLI::App app;
  app.set_help_flag();
  for (const Option& option : options.all()) declare(app, option);
  std::ranges::reverse(arguments);  // as the library wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    throw UsageError(printable(error.what(), 400));
  }
}

}  // namespace inferometer::cli
