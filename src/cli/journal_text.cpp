// SPDX-License-Identifier: Apache-2.0
#include "cli/journal_text.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/table.hpp"

namespace inferometer::cli {
namespace {

using campaign::Finding;

constexpr std::size_t kReasonBytes = 200;
constexpr std::size_t kShortId = 8;

std::string cpu_of(const Json& fingerprint) {
  const Json::json_pointer model("/machine/cpu/model name");
  if (!fingerprint.contains(model) || !fingerprint.at(model).is_string()) return "";
  return " (" + printable(fingerprint.at(model).get<std::string>()) + ")";
}

std::string header_text(const std::string& name, const campaign::JournalContents& contents) {
  const auto& header = contents.header;
  if (header.version.empty())
    return printable(name) + ": ends before its first line is whole; nothing was measured\n";
  return fmt::format("{}: Inferometer {}, {}, machine {}{}, {} lines\n", printable(name),
                     printable(header.version), printable(header.time),
                     printable(header.fingerprint.value("machine_id", std::string("?"))),
                     cpu_of(header.fingerprint),
                     count_text(static_cast<std::int64_t>(contents.lines)));
}

std::string launches_text(const campaign::JournalContents& contents) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& launch : contents.launches)
    rows.push_back(
        {std::to_string(launch.launch), printable(launch.group), printable(launch.time),
         fmt::format("{} of {}", launch.rounds, launch.planned), std::to_string(launch.rejected),
         launch.ending == campaign::Ending::Open ? "open (killed, or still running)"
                                                 : std::string(to_string(launch.ending))});
  return table_text({{"launch", Align::Right},
                     {"group"},
                     {"time"},
                     {"rounds", Align::Right},
                     {"rejected", Align::Right},
                     {"ending"}},
                    rows);
}

std::string status_text(const campaign::CellContents& cell) {
  auto text = std::string(to_string(cell.status));
  if (!cell.stage.empty()) text += " at " + printable(cell.stage);
  if (!cell.reason.empty()) text += ": " + printable(cell.reason, kReasonBytes);
  return text;
}

std::string cells_text(const campaign::JournalContents& contents) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& cell : contents.cells) {
    const auto batch = cell.cell.params.find("batch_size");
    rows.push_back({printable(cell.cell_id.substr(0, kShortId)), printable(cell.cell.model),
                    batch == cell.cell.params.end() ? "" : printable(to_string(batch->second)),
                    printable(cell.cell.label.empty() ? cell.cell.engine : cell.cell.label),
                    printable(cell.cell.workload),
                    fmt::format("{} of {}", cell.complete, cell.launches), status_text(cell)});
  }
  return table_text({{"cell"},
                     {"model"},
                     {"batch", Align::Right},
                     {"engine"},
                     {"workload"},
                     {"launches", Align::Right},
                     {"status"}},
                    rows);
}

std::string_view word_of(Finding::Kind kind) {
  return kind == Finding::Kind::Problem ? "problem" : "warning";
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string spec_text(const ObjectSpec& spec) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& key : spec.keys)
    rows.push_back({"  " + std::string(key.name), shown(key.type), std::string(key.help)});
  return fmt::format("{}: {}\n{}\n", spec.name, spec.help,
                     table_text({{"  key"}, {"value"}, {""}}, rows));
}

}  // namespace

std::string contents_text(const std::string& name, const campaign::JournalContents& contents) {
  auto text = header_text(name, contents);
  if (contents.torn_bytes > 0)
    text += fmt::format("its last line is torn ({} bytes)\n", contents.torn_bytes);
  if (!contents.launches.empty()) text += "\n" + launches_text(contents);
  if (!contents.cells.empty()) text += "\n" + cells_text(contents);
  return text;
}

std::string verified_text(const std::string& path, const campaign::Verified& verified) {
  std::string text;
  for (const auto& finding : verified.findings)
    text += fmt::format("{}: line {}: {}{}\n", printable(path), finding.line,
                        finding.kind == Finding::Kind::Warning ? "warning: " : "",
                        printable(finding.text, 1000));
  const auto all = verified.problems + verified.warnings;
  if (all > verified.findings.size())
    text += fmt::format("{}: and {} more\n", printable(path), all - verified.findings.size());
  return text + fmt::format("{}: {}, {}, {}\n", printable(path), counted(verified.lines, "line"),
                            counted(verified.problems, "problem"),
                            counted(verified.warnings, "warning"));
}

Json verified_json(const std::string& path, const campaign::Verified& verified) {
  auto findings = Json::array();
  for (const auto& finding : verified.findings)
    findings.push_back(
        {{"kind", word_of(finding.kind)}, {"line", finding.line}, {"text", finding.text}});
  return {{"path", path},
          {"journals", verified.journals},
          {"lines", verified.lines},
          {"problems", verified.problems},
          {"warnings", verified.warnings},
          {"findings", std::move(findings)}};
}

std::string schema_text() {
  std::string text = fmt::format("{}: one JSON object a line\n\n", campaign::kJournalSchema);
  for (const auto& line : campaign::journal_lines()) text += spec_text(line);
  for (const auto& object : campaign::journal_objects()) text += spec_text(object);
  return text + "`values` holds quantities: docs/measuring.md.\n";
}

}  // namespace inferometer::cli
