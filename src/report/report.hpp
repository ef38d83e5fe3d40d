// SPDX-License-Identifier: Apache-2.0
// Something readable made from journals: one writer per format over one plain document.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "campaign/journal.hpp"
#include "measure/outcome.hpp"

namespace inferometer::report {

/// What every writer writes. Text in it comes from strangers; writers escape.
struct Document {
  std::string title;
  std::vector<measure::Outcome> outcomes;
  std::vector<campaign::Header> headers;  ///< one per journal
  std::vector<std::string> notes;         ///< "j.jsonl: its last line was torn", ...
};

/// Outcomes are derived again from the rounds for cells that have no outcome line yet.
Document document_of(std::span<const campaign::Journal> journals);

enum class Color { Off, On };
/// For a terminal: comparison, load, memory, energy, failures, rerun lines.
std::string to_text(const Document& document, Color color);
std::string to_markdown(const Document& document);  ///< tables for a README
std::string to_csv(const Document& document);       ///< one row an outcome, a column a field
Json to_json(const Document& document);             ///< the `data` of the CLI's envelope

/// One self-contained file. `vega_bundle`: JavaScript to inline; empty = tables only, and
/// `no_charts_why` is printed.
std::string to_html(const Document& document, const std::string& vega_bundle,
                    const std::string& no_charts_why);

/// The Vega bundle of the build tree's Python environment or of the installed share folder.
struct VegaBundle {
  std::string text;
  std::string why;  ///< when text is empty: where we looked
};
VegaBundle find_vega_bundle(const std::filesystem::path& plugin_dir);

}  // namespace inferometer::report
