// SPDX-License-Identifier: Apache-2.0
// What a subcommand knows of the place that it runs in, and what it hands back.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "campaign/progress.hpp"
#include "cli/exit_code.hpp"
#include "report/report.hpp"

namespace inferometer::cli {

enum class Format { Text, Json };
enum class Verbosity { Quiet, Normal, Verbose };

struct Console {
  Format format = Format::Text;
  Verbosity verbosity = Verbosity::Normal;
  report::Color color = report::Color::Off;  ///< of standard output
  campaign::Progress progress;               ///< never empty
  /// From the first call on, Ctrl-C and SIGTERM request a stop instead of ending the program; a
  /// second one ends it.
  std::function<std::stop_token()> stop;
};

/// What main prints and exits with.
struct Reply {
  Json data = Json::object();  ///< of the envelope
  std::string text;            ///< for people
  Status status = Status::Ok;
  int exit = kExitOk;
  std::string about;  ///< what data holds; empty: the subcommand's name
};

}  // namespace inferometer::cli
