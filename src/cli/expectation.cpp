// SPDX-License-Identifier: Apache-2.0
#include "cli/expectation.hpp"

#include "base/text.hpp"
#include "cli/common.hpp"
#include "cli/port_files.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {

void add_expect(Options& options, ExpectOptions& given) {
  options.add("--input", given.inputs, "[NAME=]FILE",
              "A .npy file for an input, with --expect; default: seeded rows");
  options.add("--expect", given.outputs, "[NAME=]FILE",
              "The right answer, a .npy file an output; default: the reference engine's");
}

campaign::Expected read_expected(const ExpectOptions& given, const std::string& model,
                                 campaign::Lab& lab) {
  if (given.inputs.empty() && given.outputs.empty()) return {};
  if (given.outputs.empty())
    throw UsageError("--input needs --expect: the answer that those inputs lead to");
  if (given.inputs.empty())
    throw UsageError("--expect needs --input: the inputs that lead to that answer");
  const auto facts = lab.model(model);
  if (facts.inputs.empty()) {
    throw Error(
        Status::Unsupported,
        "--expect: the ports of " + model + " are unknown before it is loaded: " + facts.why,
        {{"model", model}});
  }
  return {join(given.outputs),
          read_ports("--input", facts.inputs, parse_named_paths("--input", given.inputs)),
          read_ports("--expect", facts.outputs, parse_named_paths("--expect", given.outputs))};
}

}  // namespace inferometer::cli
