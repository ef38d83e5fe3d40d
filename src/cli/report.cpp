// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/envelope.hpp"
#include "cli/usage.hpp"
#include "core/wall.hpp"

namespace inferometer::cli {
namespace {

struct Given {
  std::vector<std::string> journals;
  std::filesystem::path output;
};

// Where the build tree or the installation says what it has.
std::filesystem::path plugin_folder() {
  for (const auto& plugin : core::plugins())
    if (!plugin.path.empty()) return plugin.path.parent_path();
  return {};
}

std::string html(const report::Document& document) {
  const auto bundle = report::find_vega_bundle(plugin_folder());
  return report::to_html(document, bundle.text, bundle.why);
}

struct Writer {
  std::string_view ending;
  std::string (*write)(const report::Document&);
};
constexpr Writer kWriters[] = {
    {".html", html},
    {".md", report::to_markdown},
    {".csv", report::to_csv},
    {".json",
     [](const report::Document& document) {
       return printed(envelope("report", Status::Ok, report::to_json(document)));
     }},
};

const Writer& writer_of(const std::filesystem::path& output) {
  std::vector<std::string> endings;
  for (const auto& writer : kWriters) {
    if (output.extension() == writer.ending) return writer;
    endings.emplace_back(writer.ending);
  }
  throw UsageError(fmt::format("report: -o {}: the ending says the format: {}",
                               printable(output.string()), join(endings)),
                   {{"option", "--output"}, {"value", output.string()}});
}

report::Document read_document(const std::vector<std::string>& paths) {
  std::vector<campaign::Journal> journals;
  for (const auto& path : paths)
    for (auto& journal : campaign::read_journals(path)) journals.push_back(std::move(journal));
  return report::document_of(journals);
}

Reply report_journals(const Given& given, const Console& console) {
  const Writer* writer = given.output.empty() ? nullptr : &writer_of(given.output);
  const auto document = read_document(given.journals);
  Reply reply;
  if (writer == nullptr) {
    reply.data = report::to_json(document);
    reply.text = report::to_text(document, console.color);
    return reply;
  }
  write_text_atomic(given.output, writer->write(document));
  reply.data = {{"path", given.output.string()}, {"outcomes", document.outcomes.size()}};
  reply.text = fmt::format("{}: {} outcomes\n", given.output.string(), document.outcomes.size());
  return reply;
}

}  // namespace

Action declare_report(Options& options) {
  const auto given = std::make_shared<Given>();
  options.add("journals", given->journals, "JOURNAL...", "Journals that bench wrote, or join")
      .needed = Option::Needed::Yes;
  options.add("-o,--output", given->output, "FILE",
              "Write .html, .md, .csv or .json instead of text here");
  return [given](const Console& console) { return report_journals(*given, console); };
}

}  // namespace inferometer::cli
