// SPDX-License-Identifier: Apache-2.0
// Style and script of the HTML report. Nothing is fetched.
#pragma once

#include <string_view>

namespace inferometer::report {

inline constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --bg: #fbfbfa; --card: #fff; --ink: #1c1e21; --soft: #667085;
  --line: #e4e7ec; --good: #067647; --bad: #b42318; --accent: #175cd3; }
@media (prefers-color-scheme: dark) { :root { --bg: #101418; --card: #171c22; --ink: #e6e9ee;
  --soft: #98a2b3; --line: #2a313a; --good: #47cd89; --bad: #f97066; --accent: #84adff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 28px; letter-spacing: -0.02em; margin: 0 0 4px; }
h2 { font-size: 19px; letter-spacing: -0.01em; margin: 40px 0 12px; }
.sub, .note, figcaption { color: var(--soft); font-size: 13.5px; }
.note { margin: 8px 2px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; font-size: 12.5px; color: var(--soft);
  border-bottom: 1px solid var(--line); white-space: nowrap; }
th, td { padding: 8px 14px; vertical-align: top; }
tbody tr + tr td { border-top: 1px solid var(--line); }
tbody tr:hover td { background: color-mix(in srgb, var(--accent) 6%, transparent); }
.r { text-align: right; white-space: nowrap; }
.muted { color: var(--soft); } .good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
code { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
td { overflow-wrap: break-word; }
figure { margin: 0 0 20px; padding: 18px; } figcaption { margin-top: 6px; }
figure h3 { margin: 0 0 10px; font-size: 15px; }
details summary { cursor: pointer; font-size: 19px; font-weight: 600; margin: 40px 0 12px; }
)css";

/// Draws every .chart from the specification beside it, in the colours of the page.
inline constexpr std::string_view kDraw = R"js(
(function () {
  var dark = matchMedia("(prefers-color-scheme: dark)").matches;
  var ink = dark ? "#e6e9ee" : "#1c1e21", soft = dark ? "#98a2b3" : "#667085";
  var line = dark ? "#2a313a" : "#e4e7ec";
  var config = { background: "transparent", font: "system-ui, sans-serif",
    view: { stroke: "transparent" },
    axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: line,
            tickColor: line, titleFontWeight: 500 },
    header: { labelColor: ink, labelFontWeight: 600, labelFontSize: 12 },
    legend: { labelColor: ink, titleColor: soft },
    range: { category: dark
      ? ["#84adff", "#fdb022", "#6ce9a6", "#f97066", "#bdb4fe", "#67e3f9"]
      : ["#175cd3", "#dc6803", "#039855", "#d92d20", "#6938ef", "#0e7090"] } };
  document.querySelectorAll(".chart").forEach(function (place) {
    var spec = JSON.parse(place.parentNode.querySelector("script.spec").textContent);
    window.vegaEmbed(place, spec, { actions: false, renderer: "svg", config: config })
      .catch(function (error) { place.textContent = "This chart could not be drawn: " + error; });
  });
})();
)js";

}  // namespace inferometer::report
