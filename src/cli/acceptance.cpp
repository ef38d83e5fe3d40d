// SPDX-License-Identifier: Apache-2.0
#include "cli/acceptance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "core/settings.hpp"
#include "core/unified.hpp"

namespace inferometer::cli {
namespace {

using Answer = Acceptance::Answer;

std::string summary(const std::vector<core::Refusal>& refusals) {
  const auto& first = refusals.front();
  const auto more = refusals.size() - 1;
  std::string what = first.op.empty() ? "" : "operator " + printable(first.op);
  if (!what.empty() && !first.node.empty())
    what += fmt::format(" (node {})", printable(first.node));
  return fmt::format("{}{}{}{}", what, what.empty() ? "" : ": ", first.reason,
                     more == 0 ? "" : fmt::format("; and {} more", more));
}

Acceptance ask(const EngineStatus& engine, const std::filesystem::path& model,
               const core::ModelFile& file) {
  if (!engine.available) return {engine.name, Answer::Unavailable, engine.reason, {}};
  const std::string ending = model.extension().string();
  if (std::ranges::find(engine.formats, ending) == engine.formats.end()) {
    return {engine.name,
            Answer::Refuses,
            fmt::format("takes {}, not {}", join(engine.formats), printable(ending)),
            {}};
  }
  const auto resolved = core::resolve_params({}, engine.params);
  const auto settings = core::settle(model, resolved, file);
  auto refused = core::refusals(core::plugin_named(engine.name),
                                {.path = model, .settings = settings.json.dump()});
  if (!refused)
    return {engine.name,
            Answer::OnlyLoadingTells,
            "it decides while it compiles: `inferometer check`",
            {}};
  if (refused->empty()) return {engine.name, Answer::Takes, "", {}};
  return {engine.name, Answer::Refuses, summary(*refused), std::move(*refused)};
}

}  // namespace

std::string_view to_string(Answer answer) {
  switch (answer) {
    case Answer::Takes:
      return "takes";
    case Answer::Refuses:
      return "refuses";
    case Answer::OnlyLoadingTells:
      return "only loading tells";
    case Answer::Unavailable:
      return "unavailable";
  }
  return "";
}

std::vector<Acceptance> ask_engines(const std::vector<EngineStatus>& engines,
                                    const std::filesystem::path& model,
                                    const core::ModelFile& file) {
  std::vector<Acceptance> answers;
  for (const auto& engine : engines) {
    try {
      answers.push_back(ask(engine, model, file));
    } catch (const Error& error) {
      answers.push_back({engine.name, Answer::Refuses, error.what(), {}});
    }
  }
  return answers;
}

}  // namespace inferometer::cli
