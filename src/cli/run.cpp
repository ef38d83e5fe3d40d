// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/measuring.hpp"
#include "cli/verdict.hpp"

namespace inferometer::cli {
namespace {

struct Given {
  campaign::RunOptions asked;
  std::vector<std::string> params;
  MeasuringOptions measuring;
  bool profile = false;
};

Reply run(const Given& given, const Console& console) {
  const auto lab = campaign::make_lab();
  campaign::RunOptions asked = given.asked;
  asked.params = parse_params(given.params);
  apply(given.measuring, asked.model, *lab, asked);
  if (given.profile) asked.workloads.emplace_back("profile");
  const auto result = campaign::run(asked, *lab, console.progress, console.stop());

  report::Document document = report::document_of(std::span(&result.journal, 1));
  document.title = asked.model + " on " + asked.engine;
  document.outcomes = result.outcomes;
  Reply reply{.data = report::to_json(document), .text = report::to_text(document, console.color)};
  judge_run(reply, result.outcomes, result.interrupted ? Interrupted::Yes : Interrupted::No);
  return reply;
}

}  // namespace

Action declare_run(Options& options) {
  const auto given = std::make_shared<Given>();
  options.add("model", given->asked.model, "MODEL", "The model file").needed = Option::Needed::Yes;
  options.add("--engine", given->asked.engine, "NAME", "The engine").needed = Option::Needed::Yes;
  options.add("-p,--param", given->params, "KEY=VALUE",
              "A param, repeatable; `inferometer engines NAME` lists them");
  options.add_flag("--profile", given->profile, "Time by node too, where the engine can tell");
  add_measuring(options, given->measuring, campaign::kRunRounds);
  return [given](const Console& console) { return run(*given, console); };
}

}  // namespace inferometer::cli
