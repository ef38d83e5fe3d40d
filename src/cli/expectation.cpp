// SPDX-License-Identifier: Apache-2.0
#include "cli/expectation.hpp"

#include "base/text.hpp"
#include "cli/common.hpp"
#include "cli/port_files.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {

void add_expect(Options& options, ExpectOptions& given) {
  options.add("--input", given.inputs, "[NAME=]FILE",
              "A .npy file for an input, repeatable; default: seeded rows");
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
  const auto read = [](const char* option, const std::vector<Port>& ports,
                       const std::vector<std::string>& files) {
    return files.empty() ? std::vector<Tensor>()
                         : read_ports(option, ports, parse_named_paths(option, files));
  };
  return {join(given.outputs), read("--input", facts.inputs, given.inputs),
          read("--expect", facts.outputs, given.outputs), given.inputs, given.outputs};
}

}  // namespace inferometer::cli
