// SPDX-License-Identifier: Apache-2.0
#include "campaign/summary_pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "measure/canary.hpp"
#include "measure/statistics.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;

constexpr double kMostFigure = 9e18;  // a stranger's journal may hold any number
// Idle power that moved by more than this share of what computing adds makes the net doubtful.
constexpr double kMostIdleChange = 0.1;
constexpr double kRounding = 1e-6;

// Counts and durations stay integers; shares and rates don't.
Json rounded(const std::string& key, const std::vector<double>& given) {
  const auto middle = std::clamp(measure::median(given), -kMostFigure, kMostFigure);
  if (key.ends_with("_ns") || key.ends_with("_bytes") || key == "energy_samples")
    return static_cast<std::int64_t>(middle);
  return middle;
}

// A reason stands beside null and nowhere else.
void drop_reason(const std::string& key, Outcome& outcome) {
  outcome.values.erase(key + "_why");
}

void put_median(const std::string& key, const std::vector<double>& given, std::size_t launches,
                Outcome& outcome) {
  if (const auto why = outcome.values.find(key + "_why");
      why != outcome.values.end() && why->is_string() && given.size() < launches)
    outcome.warnings.push_back(fmt::format("{} is of {} of {} launches: {}", key, given.size(),
                                           launches, why->get<std::string>()));
  drop_reason(key, outcome);
  outcome.values[key] = rounded(key, given);
}

double number(const Outcome& outcome, const char* key) {
  const auto found = outcome.values.find(key);
  return found != outcome.values.end() && found->is_number() ? found->get<double>() : std::nan("");
}

void warn_of_idle(Outcome& outcome) {
  const auto before = number(outcome, "energy_idle_before_w");
  const auto after = number(outcome, "energy_idle_after_w");
  const auto added = number(outcome, "energy_mean_w") - (before + after) / 2;
  const auto bound = std::max(kMostIdleChange * std::abs(added), kRounding * before);
  if (std::abs(after - before) > bound)  // false for NaN
    outcome.warnings.push_back(fmt::format(
        "idle power was {:.3g} W before and {:.3g} W after, and computing added {:.3g} W: the net "
        "energy is doubtful",
        before, after, added));
}

void warn_of_growth(Outcome& outcome) {
  constexpr double kLeak = 64 << 10;  // allocators round; a batch that keeps more loses it
  if (const auto growth = number(outcome, "memory_growth_bytes"); growth > kLeak)
    outcome.warnings.push_back(fmt::format(
        "memory grows by {:.0f} KiB a batch: a leak, or caches that fill", growth / 1024));
}

void warn_of_noise(Outcome& outcome) {
  const auto verdict = outcome.values.value("noise_verdict", Json());
  if (!verdict.is_string() || verdict == measure::to_string(measure::Noise::Fit)) return;
  const auto spread = number(outcome, "canary_spread");
  outcome.warnings.push_back(fmt::format("{}: canary spread {:.0f} % between trials",
                                         verdict.get<std::string>(),
                                         std::isnan(spread) ? 0 : 100 * spread));
}

// A rate that one launch couldn't keep is not kept: the others alone would flatter.
bool all_or_none(const std::string& key) {
  return key.starts_with("rate_");
}

// Words are the last launch's, but of verdicts the worst stands: fit, noisy, unfit, as in the
// alphabet.
void put_value(const std::string& key, const Json& value, Outcome& outcome) {
  if (key == "noise_verdict" && outcome.values.contains(key) && !(outcome.values[key] < value))
    return;
  if (!value.is_null() && !value.is_number()) drop_reason(key, outcome);
  outcome.values[key] = value;
}

// What one launch could give and another couldn't: the reason would make a line that nobody reads.
void drop_reasons_beside_values(Outcome& outcome) {
  std::vector<std::string> given;
  for (const auto& [key, value] : outcome.values.items())
    if (!value.is_null() && outcome.values.contains(key + "_why")) given.push_back(key);
  for (const auto& key : given) drop_reason(key, outcome);
}

}  // namespace

void put_pass(std::span<const Block* const> blocks, Outcome& outcome) {
  std::map<std::string, std::vector<double>> numbers;
  auto missing = Json::object();
  for (const auto* block : blocks)
    for (const auto& [key, value] : block->values.items()) {
      if (value.is_number()) numbers[key].push_back(value.get<double>());
      if (value.is_null() && all_or_none(key))
        for (const auto& each : {key, key + "_why"})
          if (block->values.contains(each)) missing[each] = block->values[each];
      put_value(key, value, outcome);
    }
  for (const auto& [key, given] : numbers)
    if (!all_or_none(key) || given.size() == blocks.size())
      put_median(key, given, blocks.size(), outcome);
    else
      outcome.values.erase(key);
  outcome.values.update(missing);
  drop_reasons_beside_values(outcome);
  outcome.values["launches"] = blocks.size();
  warn_of_idle(outcome);
  warn_of_growth(outcome);
  warn_of_noise(outcome);
}

}  // namespace inferometer::campaign
