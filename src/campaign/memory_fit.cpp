// SPDX-License-Identifier: Apache-2.0
#include "campaign/memory_fit.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "campaign/cost.hpp"
#include "campaign/session.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;
using Family = std::tuple<std::string, std::string, std::string>;  // model, engine, other params

struct Points {
  std::vector<std::pair<double, double>> all;  // rows, bytes
  std::vector<Outcome*> outcomes;
};

double peak_of(const Outcome& outcome) {
  double peak = 0;
  for (const auto* key : {"memory_load_peak_bytes", "memory_run_peak_bytes"})
    if (const auto found = outcome.values.find(key);
        found != outcome.values.end() && found->is_number())
      peak = std::max(peak, found->get<double>());
  return peak;
}

Family family_of(const Outcome& outcome) {
  auto params = outcome.cell.params;
  params.erase("batch_size");
  return {outcome.cell.model, outcome.cell.engine, inferometer::to_json(params).dump()};
}

std::map<Family, Points> families_of(std::vector<Outcome>& outcomes) {
  std::map<Family, Points> families;
  for (auto& outcome : outcomes) {
    const auto rows = integer_param(outcome.cell.params, "batch_size", 0);
    if (outcome.cell.workload != "memory" || outcome.status != Status::Ok || rows < 1) continue;
    auto& points = families[family_of(outcome)];
    points.all.emplace_back(static_cast<double>(rows), peak_of(outcome));
    points.outcomes.push_back(&outcome);
  }
  return families;
}

}  // namespace

void put_memory_fits(std::vector<Outcome>& outcomes) {
  for (auto& [family, points] : families_of(outcomes)) {
    const auto line = rising_line(points.all);
    for (auto* outcome : points.outcomes) {
      if (!line) {
        for (const auto* key : {"memory_fit_base_bytes", "memory_fit_row_bytes"})
          measure::set_missing(*outcome, key, "a line needs two batch sizes");
        continue;
      }
      outcome->values["memory_fit_base_bytes"] = static_cast<std::int64_t>(line->base);
      outcome->values["memory_fit_row_bytes"] = static_cast<std::int64_t>(line->slope);
    }
  }
}

}  // namespace inferometer::campaign
