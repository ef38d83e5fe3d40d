// SPDX-License-Identifier: Apache-2.0
#include "campaign/check.hpp"

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/engine_names.hpp"
#include "cli/expectation.hpp"
#include "cli/verdict.hpp"

namespace inferometer::cli {
namespace {

struct Given {
  std::string model, engines, rows;
  std::vector<std::string> params;
  ExpectOptions expect;
  std::optional<std::string> cache_dir;
  std::uint64_t seed = measure::kSeed;
};

Reply check(const Given& given, const Console& console) {
  const auto lab = campaign::make_lab();
  campaign::CheckOptions asked{.model = given.model,
                               .engines = chosen_engines(given.engines, lab->engines()),
                               .params = parse_params(given.params),
                               .expect = read_expected(given.expect, given.model, *lab),
                               .cache_dir = cache_folder(given.cache_dir),
                               .seed = given.seed};
  if (!given.rows.empty()) asked.rows = split_integers("--rows", given.rows);
  const auto stop = console.stop();
  const auto outcomes = campaign::check(asked, *lab, console.progress, stop);

  const report::Document document{.title = given.model, .outcomes = outcomes};
  Reply reply{.data = report::to_json(document), .text = report::to_text(document, console.color)};
  judge_check(reply, outcomes, stop.stop_requested() ? Interrupted::Yes : Interrupted::No);
  return reply;
}

}  // namespace

Action declare_check(Options& options) {
  const auto given = std::make_shared<Given>();
  options.add("model", given->model, "MODEL", "The model file").needed = Option::Needed::Yes;
  options.add("--engines", given->engines, "A,B",
              "Engines to check; default: every available one but null and reference");
  options.add("-p,--param", given->params, "KEY=VALUE", "A param, repeatable");
  options.add("--rows", given->rows, "N,M",
              "Rows per call; default: one batch, and one row more than two batches");
  add_expect(options, given->expect);
  add_cache_dir(options, given->cache_dir);
  options.add("--seed", given->seed, "N", "Seed of the input rows; default 1");
  return [given](const Console& console) { return check(*given, console); };
}

}  // namespace inferometer::cli
