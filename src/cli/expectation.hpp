// SPDX-License-Identifier: Apache-2.0
// The user's own right answer: --input and --expect.
#pragma once

#include <string>
#include <vector>

#include "campaign/golden.hpp"
#include "cli/options.hpp"

namespace inferometer::cli {

struct ExpectOptions {
  std::vector<std::string> inputs, outputs;
};
void add_expect(Options& options, ExpectOptions& given);

/// Reads the files for the model's ports. Without --expect nothing is expected; throws UsageError
/// for one of the two without the other.
campaign::Expected read_expected(const ExpectOptions& given, const std::string& model,
                                 campaign::Lab& lab);

}  // namespace inferometer::cli
