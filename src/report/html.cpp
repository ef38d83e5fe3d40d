// SPDX-License-Identifier: Apache-2.0
// One self-contained HTML file. Everything that comes from a journal goes through html_text or
// script_json.
#include <fmt/format.h>

#include "report/charts.hpp"
#include "report/format.hpp"
#include "report/html_style.hpp"
#include "report/tables.hpp"

namespace inferometer::report {
namespace {

// Scripts of the page are ours and inlined; nothing may be fetched, whatever a journal holds.
constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "img-src data:";

std::string classes(Tone tone, Align align) {
  std::string names = align == Align::Right ? "r" : "";
  const char* tones[] = {"", "muted", "good", "bad", ""};
  const std::string name = tones[static_cast<int>(tone)];
  if (!name.empty()) names += (names.empty() ? "" : " ") + name;
  return names.empty() ? "" : " class=\"" + names + "\"";
}

std::string cell_html(const TableCell& cell, Align align) {
  const auto text = html_text(cell.text);
  return fmt::format("<td{}>{}</td>", classes(cell.tone, align),
                     cell.tone == Tone::Code ? "<code>" + text + "</code>" : text);
}

std::string table_html(const Table& table) {
  std::string html = "<div class=\"card\"><table><thead><tr>";
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    html += fmt::format("<th{}>{}</th>", classes(Tone::Plain, table.align[i]),
                        html_text(table.columns[i]));
  html += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) html += cell_html(row[i], table.align[i]);
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
  for (const auto& note : table.notes)
    html += fmt::format("<p class=\"note\">{}</p>\n", html_text(note));
  return html;
}

std::string section(const Table& table) {
  if (table.rows.empty()) return "";
  return fmt::format("<h2>{}</h2>\n{}", html_text(table.title), table_html(table));
}

std::string folded(const Table& table) {
  if (table.rows.empty()) return "";
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", html_text(table.title),
                     table_html(table));
}

std::string chart_html(const Chart& chart) {
  return fmt::format(
      "<figure class=\"card\"><h3>{}</h3><div class=\"chart\"></div>"
      "<script type=\"application/json\" class=\"spec\">{}</script>"
      "<figcaption>{}</figcaption></figure>\n",
      html_text(chart.title), script_json(chart.specification), html_text(chart.caption));
}

std::string charts_html(const Document& document, const std::string& bundle,
                        const std::string& why) {
  const auto charts = charts_of(document);
  if (charts.empty()) return "";
  if (bundle.empty()) return fmt::format("<p class=\"note\">{}</p>\n", html_text(why));
  std::string html = "<h2>Charts</h2>\n";
  for (const auto& chart : charts) html += chart_html(chart);
  return html;
}

std::string subtitle(const Document& document) {
  auto text = Naming(document).constant();
  for (const auto& header : document.headers)
    text += (text.empty() ? "" : " · ") + ("measured " + header.time);
  std::size_t failed = 0;
  for (const auto& outcome : document.outcomes) failed += outcome.status != Status::Ok ? 1 : 0;
  return text + fmt::format("{}{} cells, {} failed", text.empty() ? "" : " · ",
                            document.outcomes.size(), failed);
}

}  // namespace

std::string to_html(const Document& document, const std::string& vega_bundle,
                    const std::string& no_charts_why) {
  auto html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style></head>\n<body><main>\n<h1>{}</h1>\n"
      "<p class=\"sub\">{}</p>\n",
      kPolicy, html_text(document.title), kStyle, html_text(document.title),
      html_text(subtitle(document)));
  for (const auto& note : document.notes)
    html += fmt::format("<p class=\"note\">{}</p>\n", html_text(note));
  const auto tables = result_tables(document);
  if (!tables.empty()) html += section(tables.front());
  html += charts_html(document, vega_bundle, no_charts_why);
  for (std::size_t i = 1; i < tables.size(); ++i) html += section(tables[i]);
  html += section(warning_table(document));
  html += folded(rerun_table(document, Rerun::All));
  html += folded(environment_table(document));
  html += "</main>\n";
  if (!vega_bundle.empty())
    html += fmt::format("<script>{}</script>\n<script>{}</script>\n", vega_bundle, kDraw);
  return html + "</body></html>\n";
}

}  // namespace inferometer::report
