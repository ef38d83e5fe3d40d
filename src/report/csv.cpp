// SPDX-License-Identifier: Apache-2.0
#include "report/format.hpp"
#include "report/report.hpp"

namespace inferometer::report {
namespace {

std::string exact_text(const Json& values, std::string_view key) {
  const auto found = values.find(std::string(key));
  if (found == values.end() || found->is_null()) return "";
  if (found->is_string()) return csv_text(found->get_ref<const std::string&>());
  const auto text = found->dump(-1, ' ', false, Json::error_handler_t::replace);
  return found->is_number() ? text : csv_text(text);  // a number's minus is no formula
}

std::string row_of(const measure::Outcome& outcome) {
  std::string row;
  const auto params = inferometer::to_json(outcome.cell.params);
  std::string warnings;
  for (const auto& warning : outcome.warnings) warnings += (warnings.empty() ? "" : "; ") + warning;
  for (const auto& text :
       {outcome.cell_id, outcome.cell.model, outcome.cell.engine, outcome.cell.label,
        params.dump(-1, ' ', false, Json::error_handler_t::replace), outcome.cell.workload,
        std::string(to_string(outcome.status)), outcome.stage, outcome.reason, warnings,
        outcome.rerun})
    row += (row.empty() ? "" : ",") + csv_text(text);
  for (const auto& field : measure::fields()) row += "," + exact_text(outcome.values, field.key);
  return row + "\n";
}

}  // namespace

std::string to_csv(const Document& document) {
  std::string text =
      "cell_id,model,engine,label,params,workload,status,stage,reason,warnings,rerun";
  for (const auto& field : measure::fields()) text += "," + std::string(field.key);
  text += "\n";
  for (const auto& outcome : document.outcomes) text += row_of(outcome);
  return text;
}

Json to_json(const Document& document) {
  auto outcomes = Json::array(), environments = Json::array();
  for (const auto& outcome : document.outcomes) outcomes.push_back(measure::to_json(outcome));
  for (const auto& header : document.headers)
    environments.push_back(
        {{"version", header.version}, {"time", header.time}, {"fingerprint", header.fingerprint}});
  return {{"outcomes", std::move(outcomes)},
          {"environments", std::move(environments)},
          {"notes", document.notes}};
}

}  // namespace inferometer::report
