// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inferometer/error.hpp"

namespace inferometer::cli {

/// The command line makes no sense: exit code 2, and a hint at --help.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message, Context context = {})
      : Error(Status::Invalid, message, std::move(context)) {}
};

}  // namespace inferometer::cli
