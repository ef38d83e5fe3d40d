// SPDX-License-Identifier: Apache-2.0
// Golden files stand in golden/; INFEROMETER_REFRESH=1 writes them anew.
#include "report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "campaign/fake_journal.hpp"
#include "report/charts.hpp"
#include "report/format.hpp"

namespace inferometer::report {
namespace {

using measure::Outcome;
using testing::HasSubstr;
using testing::Not;

Outcome outcome(const std::string& engine, std::int64_t batch, const std::string& workload,
                Json values) {
  Outcome made;
  made.cell_id = engine + std::to_string(batch) + workload;
  made.cell = {"models/resnet50.onnx", engine, engine, {{"batch_size", batch}}, workload};
  made.values = std::move(values);
  made.rerun = "inferometer run models/resnet50.onnx --engine " + engine +
               " -p batch_size=" + std::to_string(batch) + " --workload " + workload;
  return made;
}

Outcome throughput(const std::string& engine, std::int64_t batch, double rate, double ratio) {
  auto made = outcome(engine, batch, "throughput",
                      {{"throughput_samples_per_s", rate},
                       {"throughput_lower_samples_per_s", 0.98 * rate},
                       {"throughput_upper_samples_per_s", 1.02 * rate},
                       {"launches", 5},
                       {"roofline_share", 0.412},
                       {"noise_verdict", "fit"},
                       {"parity_golden", "reference"},
                       {"parity_rel_l2", 1.25e-6},
                       {"parity_gate", 1e-4},
                       {"engine_version", "1.2"}});
  made.values["control"] = "onnxruntime" + std::to_string(batch) + "throughput";
  made.values["ratio_to_control"] = ratio;
  if (engine == "onnxruntime") return made;
  made.values["ratio_lower"] = ratio - 0.01;
  made.values["ratio_upper"] = ratio + 0.01;
  made.values["ratio_basis"] = "t over 5 launches";
  return made;
}

Document example() {
  Document document{.title = "Inferometer report"};
  document.outcomes = {
      throughput("onnxruntime", 1, 24.1, 1),
      throughput("openvino", 1, 25.9, 1.075),
      throughput("onnxruntime", 4, 25.4, 1),
      throughput("openvino", 4, 25.45, 1.002),
      outcome("onnxruntime", 1, "latency",
              {{"latency_p50_ns", 41'500'000},
               {"latency_p90_ns", 43'000'000},
               {"latency_p99_ns", nullptr},
               {"latency_p99_ns_why", "p99 needs 459 timings, has 64"},
               {"latency_timings", 64}}),
      outcome("openvino", 1, "load",
              {{"load_warm_compile_ns", 410'000'000},
               {"load_warm_total_ns", 512'345'678},
               {"load_warm_first_inference_ns", 45'000'000}}),
      outcome("openvino", 1, "memory",
              {{"memory_process_bytes", 12 << 20}, {"memory_model_bytes", 250 << 20}})};
  document.outcomes.push_back(outcome("openvino", 1, "rate",
                                      {{"rate_bound_ns", 200'000'000},
                                       {"rate_percentile", 99.0},
                                       {"rate_within_bound_per_s", 18.66},
                                       {"rate_fails_per_s", 19.49},
                                       {"rate_within_bound_samples_per_s", 18.66},
                                       {"rate_capacity_per_s", 24.4},
                                       {"rate_latency_p50_ns", 51'000'000},
                                       {"rate_latency_p99_ns", 163'000'000},
                                       {"rate_trials", Json::array({{{"passes", true}}})}}));
  document.outcomes.push_back(
      outcome("onnxruntime", 1, "rate",
              {{"rate_bound_ns", 20'000'000},
               {"rate_percentile", 99.9},
               {"rate_within_bound_per_s", nullptr},
               {"rate_within_bound_per_s_why",
                "even at 3.05 batches/s, the lowest rate tried, 3 of 3 took "
                "longer than 20 ms; the fastest took 41 ms"},
               {"rate_fails_per_s", 3.05},
               {"rate_capacity_per_s", 24.4}}));
  document.outcomes.push_back(
      outcome("openvino", 1, "energy",
              {{"energy_gross_j_per_sample", 1.5},
               {"energy_net_j_per_sample", nullptr},
               {"energy_net_j_per_sample_why", "power log m.csv: 3.0 of the 5.0 s are missing"},
               {"energy_mean_w", 42.5},
               {"energy_idle_before_w", 11.25},
               {"energy_coverage", 0.996},
               {"energy_method", "power log"},
               {"energy_samples", 283},
               {"energy_window_ns", 10'012'000'000}}));
  document.outcomes[1].warnings = {"noisy: canary spread 23 %"};
  for (const auto* workload : {"throughput", "latency"}) {
    auto failed = outcome("tensorflow", 1, workload, Json::object());
    failed.status = Status::Unavailable;
    failed.stage = "probe";
    failed.reason = "no libtensorflow found; looked in /usr/lib";
    document.outcomes.push_back(std::move(failed));
  }
  document.headers = {{"0.1.0", "2026-01-31T12:00:00Z", {{"machine", {{"cpu", "Some CPU"}}}}}};
  return document;
}

// What is ours and long is left out of golden HTML.
std::string without(std::string html, const std::string& begin, const std::string& end) {
  const auto from = html.find(begin);
  if (from == std::string::npos) return html;
  return html.erase(from + begin.size(), html.find(end, from) - from - begin.size());
}

void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(INFEROMETER_GOLDEN_DIR) / name;
  if (std::getenv("INFEROMETER_REFRESH")) write_text_atomic(path, text);
  EXPECT_EQ(text, read_text(path)) << "INFEROMETER_REFRESH=1 writes " << path;
}

TEST(Report, Text) {
  expect_golden("report.txt", to_text(example(), Color::Off));
}

TEST(Report, ColorAddsNothingButColor) {
  const auto plain = to_text(example(), Color::Off);
  auto colored = to_text(example(), Color::On);
  EXPECT_NE(colored, plain);
  for (auto at = colored.find('\033'); at != std::string::npos; at = colored.find('\033'))
    colored.erase(at, colored.find('m', at) - at + 1);
  // Trailing blanks may stand inside a coloured cell.
  for (auto at = colored.find(" \n"); at != std::string::npos; at = colored.find(" \n"))
    colored.erase(at, 1);
  EXPECT_EQ(colored, plain);
}

TEST(Report, Markdown) {
  expect_golden("report.md", to_markdown(example()));
}

TEST(Report, Html) {
  auto html = to_html(example(), "", "No charts: no bundle.");
  expect_golden("report.html", without(std::move(html), "<style>", "</style>"));
}

TEST(Report, CsvHasAColumnForEveryFieldAndARowForEveryOutcome) {
  const auto csv = to_csv(example());
  EXPECT_EQ(std::ranges::count(csv, '\n'),
            1 + static_cast<std::ptrdiff_t>(example().outcomes.size()));
  const auto head = csv.substr(0, csv.find('\n'));
  for (const auto& field : measure::fields())
    EXPECT_THAT(head + ",", HasSubstr("," + std::string(field.key) + ","));
  auto one = example();
  one.outcomes.resize(1);
  const auto text = to_csv(one);
  const auto row = text.substr(text.find('\n') + 1);
  EXPECT_THAT(row, testing::StartsWith("onnxruntime1throughput,models/resnet50.onnx,onnxruntime,"));
  EXPECT_THAT(row, HasSubstr(",\"{\"\"batch_size\"\":1}\","));
  EXPECT_THAT(row, HasSubstr(",24.1,"));
}

TEST(Report, JsonHoldsEveryOutcomeAsTheJournalDoes) {
  const auto json = to_json(example());
  ASSERT_EQ(json["outcomes"].size(), example().outcomes.size());
  EXPECT_EQ(json["outcomes"][0], measure::to_json(example().outcomes[0]));
  EXPECT_EQ(json["environments"][0]["fingerprint"]["machine"]["cpu"], "Some CPU");
}

TEST(Report, ChartsCarryTheirDataAndErrorBars) {
  const auto charts = charts_of(example());
  ASSERT_EQ(charts.size(), 4u);
  EXPECT_EQ(charts[0].title, "Throughput over batch size");
  const auto& rows = charts[0].specification["data"]["values"];
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[1]["engine"], "openvino");
  EXPECT_NEAR(rows[1]["lower"].get<double>(), 0.98 * 25.9, 1e-9);
  EXPECT_EQ(charts_of(Document{}).size(), 0u);
}

TEST(Report, ABundleIsInlinedAndNothingIsFetched) {
  const auto html = to_html(example(), "window.vegaEmbed=1", "");
  EXPECT_THAT(html, HasSubstr("<script>window.vegaEmbed=1</script>"));
  EXPECT_THAT(html, HasSubstr("class=\"chart\""));
  for (const auto* source : {"src=", "href=", "url(", "@import"})
    EXPECT_THAT(html, Not(HasSubstr(source)));
}

TEST(Report, StrangersTextNeverBecomesMarkup) {
  const std::string evil =
      "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'|`=\n\033[31m";
  auto document = example();
  for (auto& each : document.outcomes) {
    each.cell.model = each.cell.label = each.reason = each.rerun = each.cell.engine = evil;
    each.warnings = {evil};
    each.values["engine_version"] = evil;
    each.values["noise_verdict"] = evil;
  }
  document.outcomes[0].values["fingerprint"] = {{"machine_id", "<img " + evil}};
  document.outcomes[1].values["fingerprint"] = {{"machine_id", 5}};
  document.title = evil;
  document.notes = {evil};
  document.headers[0].fingerprint = {{evil, evil}};
  document.headers[0].time = evil;
  const auto html = to_html(document, "/* bundle */", "");
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  const auto text = to_text(document, Color::Off);
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  const auto markdown = to_markdown(document);
  EXPECT_THAT(markdown, Not(HasSubstr("| <img")));
  EXPECT_EQ(csv_text("=1+1"), "'=1+1");
  EXPECT_EQ(csv_text("a,\"b\""), "\"a,\"\"b\"\"\"");
}

TEST(Report, NothingOddInAJournalEndsTheReport) {
  std::size_t written = 0;
  campaign::each_oddity("throughput", [&](const std::string& text, const std::string& what) {
    SCOPED_TRACE(what);
    try {
      const auto document = document_of(campaign::parse_journals(text, "j"));
      EXPECT_FALSE(to_text(document, Color::Off).empty());
      EXPECT_FALSE(to_csv(document).empty());
      charts_of(document);
      ++written;
    } catch (const Error&) {
      // Refused by the reader.
    }
  });
  EXPECT_GT(written, 100u);
}

TEST(Report, NumbersForPeople) {
  EXPECT_EQ(duration_text(870), "870 ns");
  EXPECT_EQ(duration_text(41'500'000), "41.5 ms");
  EXPECT_EQ(duration_text(2'500'000'000), "2.50 s");
  EXPECT_EQ(bytes_text(250 << 20), "250 MiB");
  EXPECT_EQ(rate_text(1234.5), "1,234");
  EXPECT_EQ(rate_text(0.0512), "0.0512");
  EXPECT_EQ(share_text(0.412), "41 %");
  EXPECT_EQ(share_text(0.0123), "1.2 %");
  EXPECT_EQ(ratio_text(1.0754), "1.075");
}

TEST(Report, RowsOfSeveralJournalsAreToldApart) {
  const auto journal = [](const std::string& name, std::int64_t threads) {
    auto made = throughput("null", 1, 10, 1);
    made.cell.params.insert_or_assign("threads", threads);
    made.cell_id += std::to_string(threads);
    return campaign::Journal{.name = name, .header = {.version = "1"}, .outcomes = {made}};
  };
  const std::vector<campaign::Journal> journals{journal("a", 1), journal("b", 2), journal("c", 2)};
  const auto text = to_text(document_of(journals), Color::Off);
  for (const auto* row : {"null threads=1 ", "null threads=2 (b)", "null threads=2 (c)"})
    EXPECT_THAT(text, HasSubstr(row));
}

campaign::Journal journal_of_machine(const std::string& id, const std::string& control) {
  auto made = throughput("null", 1, 10, 1);
  made.values["control"] = control;
  campaign::Journal journal{
      .name = "both.jsonl#" + id, .header = {.version = "1"}, .outcomes = {made}};
  journal.header.fingerprint = {{"machine_id", id + "0123456789"},
                                {"machine", {{"cpu", {{"model name", "CPU " + id}}}}}};
  return journal;
}

TEST(Report, EveryRowNamesItsMachineWhereMachinesVary) {
  const std::vector<campaign::Journal> journals{journal_of_machine("a", "c"),
                                                journal_of_machine("b", "c")};
  const auto document = document_of(journals);
  const auto text = to_text(document, Color::Off);
  EXPECT_THAT(text, HasSubstr("machine   engine"));
  EXPECT_THAT(text, HasSubstr("a0123456  null "));
  EXPECT_THAT(text, HasSubstr("b0123456  null "));
  ASSERT_EQ(document.notes.size(), 1u);
  EXPECT_THAT(document.notes[0],
              HasSubstr("2 machines: a0123456 (CPU a); b0123456 (CPU b). Rates, times and memory"));
  const auto charts = charts_of(document);
  EXPECT_EQ(charts[0].specification["data"]["values"][1]["engine"], "null (b0123456)");

  const auto one = document_of(std::span(journals).first(1));
  EXPECT_THAT(to_text(one, Color::Off), Not(HasSubstr("machine")));
  EXPECT_EQ(one.notes.size(), 0u);
}

TEST(Report, RatiosToDifferentControlsAreSaidNotToCompare) {
  const std::vector<campaign::Journal> journals{journal_of_machine("a", "c"),
                                                journal_of_machine("b", "d")};
  const auto document = document_of(journals);
  ASSERT_EQ(document.notes.size(), 2u);
  EXPECT_THAT(document.notes[1], HasSubstr("controls differ"));
}

TEST(Report, AnEmptyJournalGivesANote) {
  const std::vector<campaign::Journal> journals{
      campaign::parse_journal("{\"line\":\"hea", "j.jsonl")};
  const auto document = document_of(journals);
  ASSERT_EQ(document.notes.size(), 1u);
  EXPECT_THAT(to_html(document, "", ""), HasSubstr("nothing was measured"));
}

TEST(Report, TheBundleIsLookedForInBothPlaces) {
  const auto root =
      std::filesystem::temp_directory_path() / ("inferometer_report_" + std::to_string(::getpid()));
  const auto plugins = root / "lib" / "inferometer";
  std::filesystem::create_directories(plugins);
  EXPECT_THAT(find_vega_bundle(plugins).why, HasSubstr("share/inferometer/vega_bundle.js"));
  std::filesystem::create_directories(root / "venv/share/inferometer");
  write_text_atomic(root / "venv/share/inferometer/vega_bundle.js", "let a = 1;");
  write_text_atomic(plugins / "build_tree_python", (root / "venv").string() + "\n");
  EXPECT_EQ(find_vega_bundle(plugins).text, "let a = 1;");
  write_text_atomic(root / "venv/share/inferometer/vega_bundle.js", "'</SCRIPT>'");
  EXPECT_THAT(find_vega_bundle(plugins).why, HasSubstr("not fit"));
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace inferometer::report
