// SPDX-License-Identifier: Apache-2.0
// Subcommands as rows of one table.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "cli/console.hpp"
#include "cli/options.hpp"

namespace inferometer::cli {

/// What a subcommand does once its options are read. Throws Error.
using Action = std::function<Reply(const Console&)>;

struct Command {
  std::string_view name;
  std::string_view summary;             ///< one line
  std::string_view examples;            ///< lines, as typed
  Action (*declare)(Options& options);  ///< adds options and says what to do with them
};
std::span<const Command> commands();

Action declare_engines(Options& options);
Action declare_zoo(Options& options);
Action declare_inspect(Options& options);
Action declare_check(Options& options);
Action declare_predict(Options& options);
Action declare_run(Options& options);
Action declare_bench(Options& options);
Action declare_report(Options& options);
Action declare_machine(Options& options);
Action declare_journal(Options& options);

}  // namespace inferometer::cli
