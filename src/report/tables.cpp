// SPDX-License-Identifier: Apache-2.0
#include "report/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/text.hpp"
#include "report/format.hpp"

namespace inferometer::report {
namespace {

using measure::Outcome;

struct Column {
  std::string title;
  std::string key;
};

bool measured(const Outcome& outcome, std::string_view workload) {
  return outcome.cell.workload == workload && outcome.status == Status::Ok;
}

TableCell value_cell(const Outcome& outcome, const std::string& key) {
  auto text = value_text(outcome.values, key);
  return text.empty() ? TableCell{"-", Tone::Muted} : TableCell{std::move(text)};
}

bool given(const Document& document, std::string_view workload, const std::string& key) {
  return std::ranges::any_of(document.outcomes, [&](const Outcome& outcome) {
    return measured(outcome, workload) && !value_text(outcome.values, key).empty();
  });
}

/// Column title -> why some of its values are missing.
using Reasons = std::map<std::string, std::set<std::string>>;

void add_reasons(const Outcome& outcome, const std::vector<Column>& columns, Reasons& reasons) {
  for (const auto& column : columns)
    if (const auto why = value_text(outcome.values, column.key + "_why"); !why.empty())
      reasons[column.title].insert(why);
}

// One line a column: reasons that differ in a number would bury the table.
std::vector<std::string> reason_notes(const Reasons& reasons) {
  std::vector<std::string> notes;
  for (const auto& [title, all] : reasons) {
    const auto others = all.size() - 1;
    notes.push_back(fmt::format("{}: {}{}", title, *all.begin(),
                                others == 0 ? "" : fmt::format(" (and {} more such)", others)));
  }
  return notes;
}

Table value_table(const Document& document, const Naming& naming, std::string title,
                  std::string_view workload, const std::vector<Column>& wanted) {
  std::vector<Column> columns;
  std::ranges::copy_if(wanted, std::back_inserter(columns),
                       [&](const Column& column) { return given(document, workload, column.key); });
  Table table{.title = std::move(title), .columns = naming.columns()};
  table.align.assign(table.columns.size(), Align::Left);
  for (const auto& column : columns) {
    table.columns.push_back(column.title);
    table.align.push_back(Align::Right);
  }
  Reasons reasons;
  for (const auto& outcome : document.outcomes) {
    if (!measured(outcome, workload)) continue;
    auto row = naming.cells(outcome);
    for (const auto& column : columns) row.push_back(value_cell(outcome, column.key));
    table.rows.push_back(std::move(row));
    add_reasons(outcome, wanted, reasons);
  }
  table.notes = reason_notes(reasons);
  return table;
}

// samples/s with the interval of its median.
TableCell rate_cell(const Outcome& outcome) {
  const auto rate = number_of(outcome.values, "throughput_samples_per_s");
  if (!rate) return {"-", Tone::Muted};
  const auto lower = number_of(outcome.values, "throughput_lower_samples_per_s");
  const auto upper = number_of(outcome.values, "throughput_upper_samples_per_s");
  if (!lower || !upper) return {rate_text(*rate)};
  return {fmt::format("{} [{}, {}]", rate_text(*rate), rate_text(*lower), rate_text(*upper))};
}

TableCell ratio_cell(const Outcome& outcome) {
  if (value_text(outcome.values, "control") == outcome.cell_id) return {"control", Tone::Muted};
  const auto ratio = number_of(outcome.values, "ratio_to_control");
  if (!ratio) return {"-", Tone::Muted};
  const auto lower = number_of(outcome.values, "ratio_lower"),
             upper = number_of(outcome.values, "ratio_upper");
  if (!lower || !upper) return {ratio_text(*ratio) + " (no interval)", Tone::Muted};
  return {fmt::format("{} [{}, {}]", ratio_text(*ratio), ratio_text(*lower), ratio_text(*upper))};
}

TableCell verdict_cell(const Outcome& outcome) {
  const auto lower = number_of(outcome.values, "ratio_lower"),
             upper = number_of(outcome.values, "ratio_upper");
  if (!lower || !upper) return {"-", Tone::Muted};
  if (*lower > 1) return {"faster", Tone::Good};
  if (*upper < 1) return {"slower", Tone::Bad};
  return {"not told apart", Tone::Muted};
}

// One table a cell, the costliest nodes first.
Table profile_table(const Outcome& outcome, const Naming& naming) {
  constexpr std::size_t kMostRows = 20;
  Table table{.title = "Profile of " + naming.words(outcome),
              .columns = {"node", "kernel", "precision", "time", "share"},
              .align = {Align::Left, Align::Left, Align::Left, Align::Right, Align::Right}};
  std::vector<Json> nodes;
  for (const auto& node : outcome.values.value("profile_nodes", Json::array()))
    if (node.is_object()) nodes.push_back(node);
  const auto time = [](const Json& node) { return number_of(node, "ns").value_or(0); };
  std::ranges::stable_sort(nodes, std::greater<>(), time);
  const auto total = number_of(outcome.values, "profile_total_ns").value_or(0);
  for (const auto& node : nodes) {
    if (table.rows.size() == kMostRows) break;
    std::vector<TableCell> row;
    for (const auto* key : {"node", "kernel", "precision"})
      row.push_back({printable(value_text(node, key))});
    row.push_back({duration_text(time(node))});
    row.push_back({total > 0 ? fmt::format("{:.1f} %", 100 * time(node) / total) : "-"});
    table.rows.push_back(std::move(row));
  }
  if (nodes.size() > table.rows.size())
    table.notes.push_back(fmt::format("{} nodes in all; --json has every one", nodes.size()));
  table.notes.push_back(fmt::format("nodes {} of a batch of {} while profiling",
                                    value_text(outcome.values, "profile_total_ns"),
                                    value_text(outcome.values, "profile_batch_ns")));
  return table;
}

TableCell noise_cell(const Outcome& outcome) {
  auto cell = value_cell(outcome, "noise_verdict");
  if (cell.text == "fit") cell.tone = Tone::Good;
  if (cell.text == "unfit") cell.tone = Tone::Bad;
  return cell;
}

Table comparison_table(const Document& document, const Naming& naming) {
  const bool compared = given(document, "throughput", "control");
  Table table{.title = "Throughput", .columns = naming.columns()};
  table.align.assign(table.columns.size(), Align::Left);
  const auto column = [&](const char* title, Align align) {
    table.columns.emplace_back(title);
    table.align.push_back(align);
  };
  column("samples/s", Align::Right);
  if (compared) column("ratio to control", Align::Right);
  if (compared) column("verdict", Align::Left);
  column("roofline", Align::Right);
  column("launches", Align::Right);
  column("noise", Align::Left);
  std::set<std::string> notes;
  for (const auto& outcome : document.outcomes) {
    if (!measured(outcome, "throughput")) continue;
    auto row = naming.cells(outcome);
    row.push_back(rate_cell(outcome));
    if (compared) row.push_back(ratio_cell(outcome));
    if (compared) row.push_back(verdict_cell(outcome));
    for (const auto* key : {"roofline_share", "launches"}) row.push_back(value_cell(outcome, key));
    row.push_back(noise_cell(outcome));
    table.rows.push_back(std::move(row));
    if (const auto basis = value_text(outcome.values, "ratio_basis"); !basis.empty())
      notes.insert("Intervals: " + basis + ".");
  }
  table.notes.assign(notes.begin(), notes.end());
  if (compared)
    table.notes.insert(table.notes.begin(),
                       "A ratio above 1 is faster than the control; brackets hold 95 % intervals.");
  return table;
}

Table rate_table(const Document& document, const Naming& naming) {
  auto table = value_table(document, naming, "Rate", "rate",
                           {{"bound", "rate_bound_ns"},
                            {"percentile", "rate_percentile"},
                            {"batches/s", "rate_within_bound_per_s"},
                            {"fails at", "rate_fails_per_s"},
                            {"samples/s", "rate_within_bound_samples_per_s"},
                            {"closed loop", "rate_capacity_per_s"},
                            {"p50", "rate_latency_p50_ns"},
                            {"p90", "rate_latency_p90_ns"},
                            {"p99", "rate_latency_p99_ns"},
                            {"p99.9", "rate_latency_p99_9_ns"},
                            {"noise", "noise_verdict"}});
  table.notes.insert(
      table.notes.begin(),
      "Open loop: the highest rate of Poisson arrivals, one batch each, at which the "
      "percentile was shown to lie within the bound; latencies from the intended "
      "start.");
  return table;
}

Table failure_table(const Document& document, const Naming& naming) {
  Table table{.title = "Failures", .columns = naming.columns()};
  for (const auto* title : {"workloads", "status", "stage", "reason"})
    table.columns.emplace_back(title);
  table.align.assign(table.columns.size(), Align::Left);
  // The workloads of one contender mostly fail together: one row says so.
  std::map<std::string, std::size_t> rows;
  const auto at = naming.columns().size();
  for (const auto& outcome : document.outcomes) {
    if (outcome.status == Status::Ok) continue;
    const auto key = naming.words(outcome) + outcome.stage + outcome.reason;
    const auto [row, fresh] = rows.emplace(key, table.rows.size());
    if (!fresh) {
      table.rows[row->second][at].text += ", " + outcome.cell.workload;
      continue;
    }
    auto cells = naming.cells(outcome);
    cells.push_back({outcome.cell.workload});
    cells.push_back({std::string(to_string(outcome.status)),
                     outcome.status == Status::Skipped ? Tone::Muted : Tone::Bad});
    cells.push_back({outcome.stage});
    cells.push_back({printable(outcome.reason, 1000)});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

// Every outcome of a contender carries its parity; one row each.
Table parity_table(const Document& document, const Naming& naming) {
  Document once{.outcomes = {}};
  std::set<std::string> seen;
  for (const auto& outcome : document.outcomes)
    if (outcome.values.contains("parity_golden") && outcome.status == Status::Ok &&
        seen.insert(naming.words(outcome)).second) {
      once.outcomes.push_back(outcome);
      once.outcomes.back().cell.workload = "parity";
    }
  return value_table(once, naming, "Parity", "parity",
                     {{"golden", "parity_golden"},
                      {"rel L2", "parity_rel_l2"},
                      {"of log p", "parity_log_p_rel_l2"},
                      {"max abs", "parity_max_abs_ratio"},
                      {"cosine", "parity_cosine"},
                      {"top-1", "parity_top1_agreement"},
                      {"gate", "parity_gate"},
                      {"batch invariant", "parity_batch_invariant"},
                      {"deterministic", "parity_deterministic"}});
}

// Energy for as many samples as the paper's tables have, in W s. Derived: no field of its own.
constexpr int kPaperSamples = 4096;

Table energy_table(const Document& document, const Naming& naming) {
  const std::string paper = "paper";
  Document with{.outcomes = document.outcomes};
  for (auto& outcome : with.outcomes)
    if (const auto gross = number_of(outcome.values, "energy_gross_j_per_sample"))
      outcome.values[paper] = kPaperSamples * *gross;
  return value_table(with, naming, "Energy", "energy",
                     {{"J/sample", "energy_gross_j_per_sample"},
                      {"net of idle", "energy_net_j_per_sample"},
                      {fmt::format("W s for {} samples", kPaperSamples), paper},
                      {"mean W", "energy_mean_w"},
                      {"idle W before", "energy_idle_before_w"},
                      {"after", "energy_idle_after_w"},
                      {"window", "energy_window_ns"},
                      {"coverage", "energy_coverage"},
                      {"by", "energy_method"}});
}

void add_facts(const Json& json, const std::string& prefix, int depth, Table& table) {
  for (const auto& [key, value] : json.items()) {
    const auto name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object() && depth < 4)
      add_facts(value, name, depth + 1, table);
    else if (table.rows.size() < 200)
      table.rows.push_back({{printable(name)}, {value_text(json, key)}});
  }
}

}  // namespace

std::string machine_name(const Outcome& outcome) {
  const Json::json_pointer id("/fingerprint/machine_id");
  if (!outcome.values.contains(id) || !outcome.values.at(id).is_string()) return "";
  return short_machine_id(outcome.values.at(id).get<std::string>());
}

std::string model_name(const Outcome& outcome) {
  return printable(std::filesystem::path(outcome.cell.model).filename().string());
}

std::string batch_text(const Outcome& outcome) {
  const auto found = outcome.cell.params.find("batch_size");
  return found == outcome.cell.params.end() ? "" : printable(to_string(found->second));
}

Naming::Naming(const Document& document) {
  for (const auto& outcome : document.outcomes) {
    const bool first = &outcome == &document.outcomes.front();
    machines_vary_ |= !first && machine_ != machine_name(outcome);
    models_vary_ |= !first && model_ != model_name(outcome);
    batches_vary_ |= !first && batch_ != batch_text(outcome);
    if (!first) continue;
    machine_ = machine_name(outcome);
    model_ = model_name(outcome);
    batch_ = batch_text(outcome);
  }
}

std::vector<std::string> Naming::columns() const {
  std::vector<std::string> columns;
  if (machines_vary_) columns.emplace_back("machine");
  if (models_vary_) columns.emplace_back("model");
  if (batches_vary_) columns.emplace_back("batch");
  columns.emplace_back("engine");
  return columns;
}

std::vector<TableCell> Naming::cells(const Outcome& outcome) const {
  std::vector<TableCell> cells;
  if (machines_vary_) cells.push_back({machine_name(outcome)});
  if (models_vary_) cells.push_back({model_name(outcome)});
  if (batches_vary_) cells.push_back({batch_text(outcome)});
  cells.push_back(
      {printable(outcome.cell.label.empty() ? outcome.cell.engine : outcome.cell.label)});
  return cells;
}

std::string Naming::words(const Outcome& outcome) const {
  std::vector<std::string> words;
  for (const auto& cell : cells(outcome)) words.push_back(cell.text);
  return join(words, " ");
}

std::string Naming::series(const Outcome& outcome) const {
  const auto& label = outcome.cell.label.empty() ? outcome.cell.engine : outcome.cell.label;
  return machines_vary_ ? label + " (" + machine_name(outcome) + ")" : label;
}

std::string Naming::constant() const {
  std::string text = models_vary_ ? "" : model_;
  if (!batches_vary_ && !batch_.empty()) text += (text.empty() ? "batch " : ", batch ") + batch_;
  return text;
}

std::vector<Table> result_tables(const Document& document) {
  const Naming naming(document);
  std::vector<Table> tables;
  tables.push_back(comparison_table(document, naming));
  tables.push_back(value_table(document, naming, "Latency", "latency",
                               {{"p50", "latency_p50_ns"},
                                {"p90", "latency_p90_ns"},
                                {"p95", "latency_p95_ns"},
                                {"p99", "latency_p99_ns"},
                                {"p99.9", "latency_p99_9_ns"},
                                {"max", "latency_max_ns"},
                                {"timings", "latency_timings"}}));
  tables.push_back(rate_table(document, naming));
  tables.push_back(value_table(document, naming, "Load", "load",
                               {{"read", "load_warm_read_ns"},
                                {"convert", "load_warm_convert_ns"},
                                {"compile", "load_warm_compile_ns"},
                                {"allocate", "load_warm_allocate_ns"},
                                {"load", "load_warm_total_ns"},
                                {"first inference", "load_warm_first_inference_ns"},
                                {"second inference", "load_warm_second_inference_ns"},
                                {"cold load", "load_cold_total_ns"},
                                {"load from artifact", "load_artifact_total_ns"}}));
  tables.push_back(value_table(document, naming, "Memory", "memory",
                               {{"empty process", "memory_process_bytes"},
                                {"engine library", "memory_library_bytes"},
                                {"model loaded", "memory_model_bytes"},
                                {"load peak", "memory_load_peak_bytes"},
                                {"run peak", "memory_run_peak_bytes"},
                                {"steady", "memory_steady_bytes"},
                                {"steady USS", "memory_steady_uss_bytes"},
                                {"released", "memory_released_bytes"},
                                {"m0", "memory_fit_base_bytes"},
                                {"m1", "memory_fit_row_bytes"}}));
  for (const auto& outcome : document.outcomes)
    if (measured(outcome, "profile")) tables.push_back(profile_table(outcome, naming));
  tables.push_back(energy_table(document, naming));
  tables.push_back(parity_table(document, naming));
  tables.push_back(failure_table(document, naming));
  std::erase_if(tables, [](const Table& table) { return table.rows.empty(); });
  return tables;
}

Table warning_table(const Document& document) {
  const Naming naming(document);
  Table table{
      .title = "Warnings", .columns = {"warning", "cells"}, .align = {Align::Left, Align::Left}};
  std::map<std::string, std::size_t> rows;
  for (const auto& outcome : document.outcomes)
    for (const auto& warning : outcome.warnings) {
      const auto name = naming.words(outcome) + " " + outcome.cell.workload;
      const auto [row, fresh] = rows.emplace(warning, table.rows.size());
      if (fresh)
        table.rows.push_back({{printable(warning, 1000)}, {name}});
      else
        table.rows[row->second][1].text += "; " + name;
    }
  return table;
}

Table environment_table(const Document& document) {
  Table table{
      .title = "Environment", .columns = {"fact", "value"}, .align = {Align::Left, Align::Left}};
  for (const auto& header : document.headers) {
    table.rows.push_back({{"measured"}, {printable(header.time)}});
    table.rows.push_back({{"inferometer"}, {printable(header.version)}});
    add_facts(header.fingerprint, "", 0, table);
  }
  std::set<std::string> engines;
  for (const auto& outcome : document.outcomes) {
    const auto version = value_text(outcome.values, "engine_version");
    const auto library = value_text(outcome.values, "library");
    if (!version.empty() && engines.insert(outcome.cell.engine + version + library).second)
      table.rows.push_back(
          {{printable(outcome.cell.engine)}, {version + (library.empty() ? "" : ", " + library)}});
  }
  return table;
}

Table rerun_table(const Document& document, Rerun which) {
  const Naming naming(document);
  Table table{.title = "Rerun one cell",
              .columns = {"cell", "command"},
              .align = {Align::Left, Align::Left}};
  for (const auto& outcome : document.outcomes)
    if (which == Rerun::All || outcome.status != Status::Ok)
      table.rows.push_back({{naming.words(outcome) + " " + printable(outcome.cell.workload)},
                            {printable(outcome.rerun, 2000), Tone::Code}});
  return table;
}

}  // namespace inferometer::report
