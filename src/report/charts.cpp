// SPDX-License-Identifier: Apache-2.0
#include "report/charts.hpp"

#include <algorithm>
#include <set>

#include "report/format.hpp"
#include "report/tables.hpp"

namespace inferometer::report {
namespace {

using measure::Outcome;

constexpr double kNsPerMs = 1e6;
constexpr double kBytesPerMiB = 1024.0 * 1024;

struct Part {
  const char* name;
  const char* key;
};

bool measured(const Outcome& outcome, std::string_view workload) {
  return outcome.cell.workload == workload && outcome.status == Status::Ok;
}

Json row_of(const Outcome& outcome, const Naming& naming) {
  const auto batch = number_of(inferometer::to_json(outcome.cell.params), "batch_size");
  return {{"model", model_name(outcome)},
          {"batch", batch ? Json(*batch) : Json(batch_text(outcome))},
          {"engine", naming.series(outcome)}};
}

std::size_t distinct(const Json& rows, const char* key) {
  std::set<std::string> values;
  for (const auto& row : rows) values.insert(row.at(key).dump());
  return values.size();
}

Json quantitative(const char* field, const char* title) {
  return {{"field", field}, {"type", "quantitative"}, {"title", title}};
}

Json nominal(const char* field, const Json& title = nullptr) {
  return {{"field", field}, {"type", "nominal"}, {"title", title}};
}

Json base(Json rows) {
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v5.json"},
          {"data", {{"values", std::move(rows)}}}};
}

// One panel per model; the vertical scales are their own, since models differ by orders.
Json by_model(Json specification, Json view, bool facet) {
  if (!facet) {
    view["width"] = 460;
    view["height"] = 280;
    specification.update(view);
    return specification;
  }
  view["width"] = 320;
  view["height"] = 260;
  specification["facet"] = nominal("model");
  specification["columns"] = 2;
  specification["spec"] = std::move(view);
  specification["resolve"] = {{"scale", {{"y", "independent"}}}};
  return specification;
}

Json throughput_rows(const Document& document) {
  const Naming naming(document);
  auto rows = Json::array();
  for (const auto& outcome : document.outcomes) {
    const auto rate = number_of(outcome.values, "throughput_samples_per_s");
    if (!measured(outcome, "throughput") || !rate) continue;
    auto row = row_of(outcome, naming);
    row["rate"] = *rate;
    row["lower"] = number_of(outcome.values, "throughput_lower_samples_per_s").value_or(*rate);
    row["upper"] = number_of(outcome.values, "throughput_upper_samples_per_s").value_or(*rate);
    rows.push_back(std::move(row));
  }
  return rows;
}

void add_throughput(const Document& document, std::vector<Chart>& charts) {
  auto rows = throughput_rows(document);
  if (rows.empty()) return;
  const bool lines = distinct(rows, "batch") > 1;
  const Json x = lines ? Json{{"field", "batch"},
                              {"type", "ordinal"},
                              {"title", "batch size"},
                              {"axis", {{"labelAngle", 0}}}}
                       : nominal("engine");
  auto y = quantitative("rate", "samples/s");
  y["scale"] = {{"zero", true}};
  const Json tooltip =
      Json::array({nominal("engine", "engine"), quantitative("batch", "batch"),
                   quantitative("rate", "samples/s"), quantitative("lower", "lower"),
                   quantitative("upper", "upper")});
  Json bars{
      {"mark", {{"type", "rule"}, {"strokeWidth", 2}}},
      {"encoding", {{"y", quantitative("lower", "samples/s")}, {"y2", {{"field", "upper"}}}}}};
  Json points{{"mark", {{"type", "point"}, {"filled", true}, {"size", 60}}},
              {"encoding", {{"y", y}, {"tooltip", tooltip}}}};
  auto layers = Json::array({bars, points});
  if (lines)
    layers.push_back({{"mark", {{"type", "line"}, {"opacity", 0.5}}}, {"encoding", {{"y", y}}}});
  Json view{{"encoding", {{"x", x}, {"color", nominal("engine")}}}, {"layer", layers}};
  const bool facet = distinct(rows, "model") > 1;
  charts.push_back(
      {lines ? "Throughput over batch size" : "Throughput",
       "Median rate with the 95 % interval of the median over rounds; higher is better.",
       by_model(base(std::move(rows)), std::move(view), facet)});
}

Json part_rows(const Document& document, std::string_view workload,
               std::initializer_list<Part> parts, double unit) {
  const Naming naming(document);
  auto rows = Json::array();
  for (const auto& outcome : document.outcomes) {
    if (!measured(outcome, workload)) continue;
    for (const auto& part : parts)
      if (const auto value = number_of(outcome.values, part.key)) {
        auto row = row_of(outcome, naming);
        row["part"] = part.name;
        row["value"] = *value / unit;
        row["cell"] = row["engine"].get<std::string>() +
                      (batch_text(outcome).empty() ? "" : " b" + batch_text(outcome));
        rows.push_back(std::move(row));
      }
  }
  return rows;
}

Json order_of(std::initializer_list<Part> parts) {
  auto names = Json::array();
  for (const auto& part : parts) names.push_back(part.name);
  return names;
}

enum class Stack { Side, Stacked };

void add_parts(const Document& document, std::string_view workload,
               std::initializer_list<Part> parts, double unit, const char* axis, Stack stack,
               Chart chart, std::vector<Chart>& charts) {
  auto rows = part_rows(document, workload, parts, unit);
  if (rows.empty()) return;
  auto color = nominal("part");
  color["scale"] = {{"domain", order_of(parts)}};
  color["sort"] = order_of(parts);
  auto y = nominal("cell");
  y["axis"] = {{"labelLimit", 240}};
  y["sort"] = nullptr;
  Json encoding{{"y", y},
                {"x", quantitative("value", axis)},
                {"color", color},
                {"tooltip", Json::array({nominal("cell", "cell"), nominal("part", "part"),
                                         quantitative("value", axis)})}};
  if (stack == Stack::Side) encoding["yOffset"] = {{"field", "part"}, {"sort", order_of(parts)}};
  const bool facet = distinct(rows, "model") > 1;
  Json view{{"mark", {{"type", "bar"}}}, {"encoding", encoding}};
  auto specification = by_model(base(std::move(rows)), std::move(view), facet);
  auto& sized = facet ? specification["spec"] : specification;
  sized["height"] = {{"step", stack == Stack::Side ? 9 : 22}};
  chart.specification = std::move(specification);
  charts.push_back(std::move(chart));
}

}  // namespace

std::vector<Chart> charts_of(const Document& document) {
  std::vector<Chart> charts;
  add_throughput(document, charts);
  add_parts(
      document, "latency",
      {{"p50", "latency_p50_ns"},
       {"p90", "latency_p90_ns"},
       {"p95", "latency_p95_ns"},
       {"p99", "latency_p99_ns"}},
      kNsPerMs, "ms per batch", Stack::Side,
      {"Latency", "Percentiles of one batch, where there are timings enough; lower is better.", {}},
      charts);
  add_parts(document, "load",
            {{"read", "load_warm_read_ns"},
             {"convert", "load_warm_convert_ns"},
             {"compile", "load_warm_compile_ns"},
             {"allocate", "load_warm_allocate_ns"},
             {"first inference", "load_warm_first_inference_ns"}},
            kNsPerMs, "ms", Stack::Stacked,
            {"Load",
             "What happens before the first answer with the files in the page cache, as far as the "
             "engine tells it apart.",
             {}},
            charts);
  add_parts(
      document, "memory",
      {{"empty process", "memory_process_bytes"},
       {"engine library", "memory_library_bytes"},
       {"model loaded", "memory_model_bytes"},
       {"load peak", "memory_load_peak_bytes"},
       {"run peak", "memory_run_peak_bytes"},
       {"steady", "memory_steady_bytes"}},
      kBytesPerMiB, "MiB resident", Stack::Side,
      {"Memory", "Resident memory of a fresh process at the end of each phase, and peaks.", {}},
      charts);
  return charts;
}

}  // namespace inferometer::report
