// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.hpp"
#include "base/text.hpp"
#include "campaign/cells.hpp"
#include "campaign/summary.hpp"
#include "report/format.hpp"
#include "report/tables.hpp"

namespace inferometer::report {
namespace {

constexpr std::size_t kBundleLimit = 16u << 20;
constexpr std::string_view kBundleName = "share/inferometer/vega_bundle.js";

// Where the build tree's Python environment is written down; an installed copy has no such file.
std::filesystem::path environment_of(const std::filesystem::path& plugin_dir) {
  try {
    auto text = read_text(plugin_dir / "build_tree_python", 4096);
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
  } catch (const Error&) {
    return {};
  }
}

bool closes_script(const std::string& text) {
  std::string lower = text;
  for (auto& letter : lower)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return lower.find("</script") != std::string::npos || lower.find("<!--") != std::string::npos;
}

// Params that are not the same in all outcomes. batch_size has a column of its own.
std::vector<std::string> varying_params(const std::vector<measure::Outcome>& outcomes) {
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, std::size_t> counts;
  for (const auto& outcome : outcomes)
    for (const auto& [name, value] : outcome.cell.params) {
      values[name].insert(to_string(value));
      ++counts[name];
    }
  std::vector<std::string> varying;
  for (const auto& [name, all] : values)
    if (name != "batch_size" && (all.size() > 1 || counts[name] < outcomes.size()))
      varying.push_back(name);
  return varying;
}

std::string batch_of(const measure::Outcome& outcome) {
  const auto batch = outcome.cell.params.find("batch_size");
  return batch == outcome.cell.params.end() ? "" : to_string(batch->second);
}

std::string place_of(const measure::Outcome& outcome) {
  return machine_name(outcome) + "\n" + outcome.cell.model + "\n" + outcome.cell.workload + "\n" +
         outcome.cell.label + "\n" + batch_of(outcome);
}

void tell_twins_apart(std::vector<measure::Outcome>& outcomes,
                      const std::vector<std::string>& suffixes) {
  std::map<std::string, std::set<std::string>> seen;
  for (std::size_t i = 0; i < outcomes.size(); ++i) seen[place_of(outcomes[i])].insert(suffixes[i]);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (const auto twins = seen.find(place_of(outcomes[i]));
        twins != seen.end() && twins->second.size() > 1)
      outcomes[i].cell.label += " (" + suffixes[i] + ")";
}

// A campaign labels its cells by what varies in it; here others may stand beside them: of other
// campaigns, or of another build in the same journal.
void label(std::vector<measure::Outcome>& outcomes, const std::vector<std::string>& journals) {
  const auto varying = varying_params(outcomes);
  std::vector<std::string> ids;
  for (auto& outcome : outcomes) {
    outcome.cell.label = campaign::label_of(outcome.cell, varying);
    ids.push_back("cell " + outcome.cell_id.substr(0, 8));
  }
  tell_twins_apart(outcomes, journals);
  tell_twins_apart(outcomes, ids);
}

std::string machine_text(const campaign::Header& header) {
  const auto& print = header.fingerprint;
  const Json::json_pointer cpu("/machine/cpu/model name");
  const auto id = print.value("machine_id", Json());
  auto text = id.is_string() ? short_machine_id(id.get<std::string>()) : "?";
  if (print.contains(cpu) && print.at(cpu).is_string())
    text += " (" + printable(print.at(cpu).get<std::string>()) + ")";
  return text;
}

// The controls that ratios refer to, by what is compared: ratios to different ones don't mix.
bool controls_differ(const std::vector<measure::Outcome>& outcomes) {
  std::map<std::string, std::set<Json>> controls;
  for (const auto& outcome : outcomes)
    if (const auto control = outcome.values.find("control"); control != outcome.values.end())
      controls[outcome.cell.model + "\n" + outcome.cell.workload + "\n" + batch_of(outcome)].insert(
          *control);
  return std::ranges::any_of(controls, [](const auto& each) { return each.second.size() > 1; });
}

void note_machines(Document& document) {
  std::set<std::string> machines;
  for (const auto& header : document.headers) machines.insert(machine_text(header));
  if (machines.size() < 2) return;
  document.notes.push_back(
      fmt::format("Measured on {} machines: {}. Rates, times and memory of different machines do "
                  "not compare; ratios to the same control do.",
                  machines.size(), join(std::vector(machines.begin(), machines.end()), "; ")));
  if (controls_differ(document.outcomes))
    document.notes.emplace_back(
        "The machines' controls differ (another engine, version or params): their ratios do not "
        "compare either.");
}

}  // namespace

Document document_of(std::span<const campaign::Journal> journals) {
  Document document{.title = "Inferometer report"};
  std::vector<std::string> names;  // of each outcome's journal
  for (const auto& journal : journals) {
    const auto name = printable(journal.name);
    if (journal.header.version.empty()) {
      document.notes.push_back(name + ": it ends before its first line; nothing was measured");
      continue;
    }
    document.headers.push_back(journal.header);
    for (auto& outcome : campaign::summarise(journal)) {
      document.outcomes.push_back(std::move(outcome));
      names.push_back(journal.name);
    }
  }
  label(document.outcomes, names);
  note_machines(document);
  return document;
}

VegaBundle find_vega_bundle(const std::filesystem::path& plugin_dir) {
  std::vector<std::filesystem::path> places;
  if (const auto environment = environment_of(plugin_dir); !environment.empty())
    places.push_back(environment / kBundleName);
  places.push_back(plugin_dir / "../.." / kBundleName);  // lib/inferometer -> share/inferometer
  std::vector<std::string> looked;
  for (const auto& place : places) {
    looked.push_back(place.lexically_normal().string());
    if (!std::filesystem::exists(place)) continue;
    auto text = read_text(place, kBundleLimit);
    if (!closes_script(text)) return {std::move(text), ""};
    looked.back() += " (not fit to be inlined)";
  }
  return {"", fmt::format("No charts: the Vega bundle is not there (looked at {}); scripts/setup "
                          "makes it from the wheel vl-convert-python.",
                          join(looked))};
}

}  // namespace inferometer::report
