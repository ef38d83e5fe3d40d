// SPDX-License-Identifier: Apache-2.0
#include "cli/expectation.hpp"

#include "base/text.hpp"
#include "cli/common.hpp"
#include "cli/port_files.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {

void add_expect(Options& options, ExpectOptions& given) {
  options.add("--input", given.inputs, "[NAME=]FILE",
              "A .npy file for an input, or how to draw it (:normal, :int:0..9), repeatable; "
              "default: seeded rows");
  options.add("--expect", given.outputs, "[NAME=]FILE",
              "A .npy file of the right output; default: the reference engine's");
}

campaign::Expected read_expected(const ExpectOptions& given, const std::string& model,
                                 campaign::Lab& lab) {
  if (given.inputs.empty() && given.outputs.empty()) return {};
  const auto facts = lab.model(model);
  if (facts.inputs.empty()) {
    throw Error(Status::Unsupported,
                "--input, --expect: the ports of " + model +
                    " are unknown before it is loaded: " + facts.why,
                {{"model", model}});
  }
  campaign::Expected expected{.name = join(given.outputs),
                              .inputs = {},
                              .outputs = {},
                              .input_files = given.inputs,
                              .output_files = given.outputs};
  if (!given.inputs.empty())
    expected.inputs = read_sources("--input", facts.inputs,
                                   parse_named_paths("--input", facts.inputs, given.inputs));
  if (!given.outputs.empty())
    expected.outputs = read_ports("--expect", facts.outputs,
                                  parse_named_paths("--expect", facts.outputs, given.outputs));
  return expected;
}

}  // namespace inferometer::cli
