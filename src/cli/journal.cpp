// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.hpp"
#include "campaign/journal_join.hpp"
#include "campaign/journal_verify.hpp"
#include "cli/command.hpp"
#include "cli/journal_text.hpp"
#include "cli/usage.hpp"

namespace inferometer::cli {
namespace {

struct Given {
  std::string action;
  std::vector<std::string> journals;
  std::filesystem::path output;
};

Reply show(const Given& given) {
  Reply reply;
  reply.data["journals"] = Json::array();
  for (const auto& path : given.journals) {
    const auto all = campaign::contents_of(campaign::JournalText(path).lines());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto name = campaign::journal_name(path, i, all.size());
      reply.text += (reply.text.empty() ? "" : "\n") + contents_text(name, all[i]);
      Json json{{"name", name}};
      json.update(campaign::to_json(all[i]));
      reply.data["journals"].push_back(std::move(json));
    }
  }
  return reply;
}

Reply verify(const Given& given) {
  Reply reply;
  reply.data["journals"] = Json::array();
  for (const auto& path : given.journals) {
    const auto verified = campaign::verify_journal(campaign::JournalText(path).text());
    reply.text += verified_text(path, verified);
    reply.data["journals"].push_back(verified_json(path, verified));
    if (verified.problems > 0) reply.status = Status::Invalid;
  }
  reply.exit = exit_code(reply.status);
  return reply;
}

Reply join_them(const Given& given) {
  const std::vector<std::filesystem::path> paths(given.journals.begin(), given.journals.end());
  const auto parts = campaign::join_journals(paths, given.output);
  Reply reply{.data = {{"path", given.output.string()}, {"parts", Json::array()}}};
  std::size_t journals = 0;
  for (const auto& part : parts) {
    journals += part.journals;
    reply.data["parts"].push_back({{"path", part.path},
                                   {"journals", part.journals},
                                   {"lines", part.lines},
                                   {"torn_bytes", part.torn_bytes}});
    if (part.torn_bytes > 0)
      reply.text += fmt::format("{}: its last line is torn and was left out ({} bytes)\n",
                                printable(part.path), part.torn_bytes);
  }
  reply.text += fmt::format("{}: {} journals\n", given.output.string(), journals);
  return reply;
}

Reply schema(const Given&) {
  return {.data = campaign::schema_json(), .text = schema_text()};
}

struct Row {
  std::string_view name;
  std::size_t least_journals;
  bool writes;
  Reply (*act)(const Given&);
};
constexpr Row kActions[] = {
    {"show", 1, false, show},
    {"verify", 1, false, verify},
    {"join", 2, true, join_them},
    {"schema", 0, false, schema},
};

const Row& find_action(const std::string& word) {
  std::vector<std::string> names;
  for (const auto& row : kActions) {
    if (row.name == word) return row;
    names.emplace_back(row.name);
  }
  const auto near = nearest(word, names);
  throw UsageError(
      fmt::format("journal: there is no action '{}'{}; actions: {}", printable(word),
                  near.empty() ? "" : fmt::format(", did you mean {}?", near), join(names)),
      {{"action", word}, {"nearest", near}});
}

void check_usage(const Row& row, const Given& given) {
  if (given.journals.size() < row.least_journals)
    throw UsageError(fmt::format("journal {}: {} JOURNAL is missing", row.name,
                                 given.journals.empty() ? "a" : "another"),
                     {{"missing", "JOURNAL"}});
  if (row.least_journals == 0 && !given.journals.empty())
    throw UsageError(fmt::format("journal {}: it takes no JOURNAL", row.name));
  if (row.writes && given.output.empty())
    throw UsageError(fmt::format("journal {}: -o FILE is missing", row.name),
                     {{"missing", "--output"}});
  if (!row.writes && !given.output.empty())
    throw UsageError(fmt::format("journal {}: it writes no file; -o belongs to join", row.name),
                     {{"option", "--output"}});
}

Reply journal(const Given& given) {
  const auto& row = find_action(given.action);
  check_usage(row, given);
  auto reply = row.act(given);
  reply.about = fmt::format("journal_{}", row.name);
  return reply;
}

}  // namespace

Action declare_journal(Options& options) {
  const auto given = std::make_shared<Given>();
  options.add("action", given->action, "ACTION", "show, verify, join or schema (of the lines)")
      .needed = Option::Needed::Yes;
  options.add("journals", given->journals, "JOURNAL...", "Journals that bench wrote, or join");
  options.add("-o,--output", given->output, "FILE", "Of join; it must not exist");
  return [given](const Console&) { return journal(*given); };
}

}  // namespace inferometer::cli
