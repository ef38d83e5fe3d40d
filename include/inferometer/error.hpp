// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "inferometer/export.hpp"

namespace inferometer {

/// How an operation ended. The words are the same in C++, Python, JSON, the journal and the CLI.
enum class Status {
  Ok,
  Unavailable,  ///< the engine, device or counter can't be had here; the text says where we looked
  Unsupported,  ///< understood, but this engine or build can't do it
  Invalid,      ///< the caller's file, param or tensor is wrong; the text names the value
  LoadFailed,   ///< the engine refused a model that looked right to us
  PredictFailed,  ///< the engine failed while computing
  Mismatch,       ///< the output is wrong by the parity gate
  Timeout,        ///< a limit of time was reached
  OutOfMemory,    ///< a limit of memory was reached
  Crashed,        ///< the worker process died; the text gives signal or exit code
  Skipped,        ///< not tried: budget of time or memory, or interruption
};

/// "ok", "unavailable", ... (ARCHITECTURE: statuses of an outcome).
INFEROMETER_API std::string_view to_string(Status status) noexcept;

/// The inverse of to_string. Throws Error{Invalid} for any other word.
INFEROMETER_API Status parse_status(std::string_view word);

/// The one exception type. `context` holds machine-readable details, e.g. {"param": "thread",
/// "nearest": "threads"}. A status of Ok or Skipped is never thrown.
class INFEROMETER_API Error : public std::runtime_error {
 public:
  using Context = std::map<std::string, std::string>;

  Error(Status code, const std::string& message, Context context = {})
      : std::runtime_error(message), code_(code), context_(std::move(context)) {}

  Status code() const noexcept { return code_; }
  const Context& context() const noexcept { return context_; }

 private:
  Status code_;
  Context context_;
};

}  // namespace inferometer
