// SPDX-License-Identifier: Apache-2.0
#include "campaign/bench.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/engine_names.hpp"
#include "cli/measuring.hpp"
#include "cli/usage.hpp"
#include "cli/verdict.hpp"

namespace inferometer::cli {
namespace {

struct Given {
  campaign::BenchOptions asked;
  std::string engines, batch_sizes;
  std::vector<std::string> params;
  MeasuringOptions measuring;
};

void check_usage(const Given& given) {
  if (given.asked.resume && given.asked.journal.empty())
    throw UsageError("bench: --resume needs -o JOURNAL, the journal to go on with");
  const auto& expect = given.measuring.expect;
  if (given.asked.models.size() > 1 && !(expect.inputs.empty() && expect.outputs.empty()))
    throw UsageError("bench: --input and --expect are those of one model; give one MODEL");
}

campaign::BenchOptions asked_of(const Given& given, campaign::Lab& lab) {
  campaign::BenchOptions asked = given.asked;
  asked.engines = chosen_engines(given.engines, lab.engines());
  asked.params = parse_choices(given.params);
  if (!given.batch_sizes.empty())
    asked.batch_sizes = split_integers("--batch-sizes", given.batch_sizes);
  apply(given.measuring, asked.models.front(), lab, asked);
  return asked;
}

std::string journal_text(const campaign::BenchOptions& asked, bool interrupted) {
  if (asked.journal.empty()) return interrupted ? "interrupted\n" : "";
  if (interrupted)
    return fmt::format(
        "interrupted: {} keeps what was measured; the same line with --resume goes on\n",
        asked.journal.string());
  return fmt::format("journal: {0}; inferometer report {0} -o report.html\n",
                     asked.journal.string());
}

Reply bench(const Given& given, const Console& console) {
  check_usage(given);
  const auto lab = campaign::make_lab();
  const auto asked = asked_of(given, *lab);
  const auto result = campaign::bench(asked, *lab, console.progress, console.stop());

  report::Document document = report::document_of(std::span(&result.journal, 1));
  document.outcomes = result.outcomes;
  Reply reply{
      .data = report::to_json(document),
      .text = report::to_text(document, console.color) + journal_text(asked, result.interrupted)};
  judge_bench(reply, result.outcomes, result.interrupted ? Interrupted::Yes : Interrupted::No);
  return reply;
}

}  // namespace

Action declare_bench(Options& options) {
  const auto given = std::make_shared<Given>();
  auto& asked = given->asked;
  options.add("models", asked.models, "MODEL...", "Model files").needed = Option::Needed::Yes;
  options.add("--engines", given->engines, "A,B",
              "Engines to compare; default: every available one but null and reference");
  options.add("--batch-sizes", given->batch_sizes, "N,M", "Batch sizes; default 1");
  options.add("-p,--param", given->params, "KEY=V1,V2",
              "A param and its alternatives, repeatable; \"\\,\" is a comma in a value");
  options.add("--launches", asked.launches, "N",
              "Lives of the workers; 5 or more give a publishable interval; default 1");
  options.add("--control", asked.control, "NAME",
              "The engine that ratios refer to; default: the first");
  options.add("-o,--output", asked.journal, "JOURNAL",
              "The journal to write as it goes; it must not exist");
  options.add_flag("--resume", asked.resume, "Go on with the journal: what is missing of it");
  add_measuring(options, given->measuring, campaign::kBenchRounds);
  return [given](const Console& console) { return bench(*given, console); };
}

}  // namespace inferometer::cli
