// SPDX-License-Identifier: Apache-2.0
#include "campaign/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "campaign/life.hpp"
#include "campaign/memory_fit.hpp"
#include "campaign/summary_pass.hpp"
#include "measure/roofline.hpp"
#include "measure/statistics.hpp"
#include "measure/tasks.hpp"
#include "measure/timings.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;

// Complete launches, else the longest.
std::vector<Life> chosen_lives(std::vector<Life> lives, Outcome& outcome) {
  std::vector<Life> complete;
  std::ranges::copy_if(lives, std::back_inserter(complete), &Life::complete);
  if (!complete.empty() || lives.empty()) return complete;
  const auto longest =
      std::ranges::max_element(lives, {}, [](const Life& life) { return life.rounds.size(); });
  if (longest->rounds.empty()) return {};
  outcome.warnings.push_back(fmt::format("interrupted: {} of {} rounds of 1 launch",
                                         longest->rounds.size(), longest->launch->rounds));
  return {*longest};
}

void put_counts(const std::vector<Life>& lives, Outcome& outcome) {
  std::int64_t rounds = 0, rejected = 0;
  for (const auto& life : lives) {
    rounds += static_cast<std::int64_t>(kept_rounds(life).size());
    rejected += std::ranges::count_if(life.rounds, &Round::rejected);
  }
  outcome.values["launches"] = lives.size();
  outcome.values["rounds"] = rounds;
  outcome.values["rounds_rejected"] = rejected;
  if (rejected > 0 && rejected == rounds)
    outcome.warnings.push_back(
        fmt::format("all {} rounds were rejected, and count all the same: measure again", rounds));
}

// A rate is a ratio to one sample a second: what holds for ratios of launches holds for it.
void put_rate_interval(const std::vector<Life>& lives, Outcome& outcome) {
  std::vector<std::vector<double>> launches;
  for (const auto& life : lives) {
    auto& logs = launches.emplace_back();
    for (const auto* round : kept_rounds(life))
      if (const auto& block = *block_of(*round, outcome.cell_id);
          block.wall_ns > 0 && block.samples > 0)
        logs.push_back(std::log(1e9 * static_cast<double>(block.samples) /
                                static_cast<double>(block.wall_ns)));
    if (logs.empty()) launches.pop_back();
  }
  if (launches.empty()) return;
  const auto rate = measure::compare(launches);
  for (const auto* key : {"throughput_lower_samples_per_s", "throughput_upper_samples_per_s"})
    if (!rate.interval) measure::set_missing(outcome, key, rate.why);
  if (!rate.interval) return;
  // Blocks pooled over launches have another median than the launches: one that may lie outside.
  if (launches.size() > 1) outcome.values["throughput_samples_per_s"] = rate.ratio;
  outcome.values["throughput_lower_samples_per_s"] = rate.interval->lower;
  outcome.values["throughput_upper_samples_per_s"] = rate.interval->upper;
}

void put_speed(const std::vector<Life>& lives, Outcome& outcome) {
  std::vector<measure::BlockTimings> blocks;
  std::vector<std::int64_t> timings;
  for (const auto& life : lives)
    for (const auto* round : kept_rounds(life)) {
      const auto& block = *block_of(*round, outcome.cell_id);
      blocks.push_back({block.wall_ns, block.samples, block.batches, block.timings_ns});
      timings.insert(timings.end(), block.timings_ns.begin(), block.timings_ns.end());
    }
  if (outcome.cell.workload == "throughput") {
    measure::put_throughput(outcome.values, blocks);
    put_rate_interval(lives, outcome);
  }
  if (outcome.cell.workload == "latency") measure::put_latency(outcome.values, timings);
}

// What is compared round by round: time per sample, or the round's median latency.
double time_of(const Block& block, const std::string& workload) {
  if (workload == "latency") {
    const std::vector<double> timings(block.timings_ns.begin(), block.timings_ns.end());
    return timings.empty() ? 0 : measure::median(timings);
  }
  return block.samples > 0 ? static_cast<double>(block.wall_ns) / static_cast<double>(block.samples)
                           : 0;
}

std::string control_of(const Launch& launch, const Outcome& outcome) {
  for (const auto& id : launch.controls)
    if (const auto* cell = cell_of(launch, id);
        cell && cell->cell.workload == outcome.cell.workload)
      return id;
  return "";
}

// The log-ratios of one launch, and the numbers of their rounds.
struct Ratios {
  std::vector<double> logs, rounds;
};

Ratios ratios_in(const Life& life, const Outcome& outcome, const std::string& control) {
  Ratios ratios;
  std::vector<double> control_ns, cell_ns;
  for (const auto* round : kept_rounds(life)) {
    const auto* other = block_of(*round, control);
    if (!other) continue;
    const auto theirs = time_of(*other, outcome.cell.workload);
    const auto ours = time_of(*block_of(*round, outcome.cell_id), outcome.cell.workload);
    if (theirs <= 0 || ours <= 0) continue;
    control_ns.push_back(theirs);
    cell_ns.push_back(ours);
    ratios.rounds.push_back(static_cast<double>(round->round));
  }
  ratios.logs = measure::log_ratios(control_ns, cell_ns);
  return ratios;
}

void put_interval(const measure::Comparison& comparison, Outcome& outcome) {
  if (!comparison.interval) {
    for (const auto* key : {"ratio_lower", "ratio_upper", "ratio_half_width"})
      measure::set_missing(outcome, key, comparison.why);
    return;
  }
  outcome.values["ratio_lower"] = comparison.interval->lower;
  outcome.values["ratio_upper"] = comparison.interval->upper;
  outcome.values["ratio_half_width"] = comparison.half_width;
  outcome.values["ratio_confidence"] = comparison.interval->confidence;
}

void put_drift(const measure::Comparison& comparison, Outcome& outcome) {
  if (!comparison.drift) return;
  outcome.values["drift_per_round"] = comparison.drift->estimate;
  outcome.values["drift_lower"] = comparison.drift->lower;
  outcome.values["drift_upper"] = comparison.drift->upper;
  if (comparison.drifts())
    outcome.warnings.push_back(fmt::format("drift: the ratio moves by {:.2g} % a round",
                                           100 * comparison.drift->estimate));
}

// One control for all launches, the first that there was: ratios to different ones don't mix.
std::string first_control(const std::vector<Life>& lives, const Outcome& outcome) {
  for (const auto& life : lives)
    if (auto control = control_of(*life.launch, outcome); !control.empty()) return control;
  return "";
}

void warn_of_other_controls(const std::vector<Life>& lives, const std::string& control,
                            Outcome& outcome) {
  const auto others = std::ranges::count_if(
      lives, [&](const Life& life) { return control_of(*life.launch, outcome) != control; });
  if (others > 0)
    outcome.warnings.push_back(
        fmt::format("the ratio leaves out {} of {} launches: their control was another or failed; "
                    "resume with the --control of the first launch",
                    others, lives.size()));
}

void put_comparison(const std::vector<Life>& lives, Outcome& outcome) {
  const auto control = first_control(lives, outcome);
  if (control.empty()) return;
  outcome.values["control"] = control;
  if (control == outcome.cell_id) {
    outcome.values["ratio_to_control"] = 1.0;
    return;
  }
  warn_of_other_controls(lives, control, outcome);
  std::vector<std::vector<double>> launches, rounds;
  for (const auto& life : lives) {
    if (control_of(*life.launch, outcome) != control) continue;
    auto ratios = ratios_in(life, outcome, control);
    if (ratios.logs.empty()) continue;
    launches.push_back(std::move(ratios.logs));
    rounds.push_back(std::move(ratios.rounds));
  }
  if (launches.empty()) {
    measure::set_missing(outcome, "ratio_to_control",
                         "no round with both the cell and its control");
    return;
  }
  const auto comparison = measure::compare(launches, {.rounds = rounds});
  outcome.values["ratio_to_control"] = comparison.ratio;
  outcome.values["ratio_basis"] = comparison.basis;
  put_interval(comparison, outcome);
  put_drift(comparison, outcome);
}

std::vector<measure::CanaryReading> readings_of(const Life& life) {
  std::vector<measure::CanaryReading> readings;
  for (const auto* round : life.rounds) {
    if (readings.empty())
      if (const auto before = reading_of(*round, "before")) readings.push_back(*before);
    if (const auto after = reading_of(*round, "after")) readings.push_back(*after);
  }
  return readings;
}

// The worst launch speaks for all: each was judged on its own canary.
void put_noise(const std::vector<Life>& lives, Outcome& outcome) {
  std::optional<measure::NoiseVerdict> worst;
  for (const auto& life : lives) {
    const auto readings = readings_of(life);
    if (readings.empty()) continue;
    auto verdict = measure::judge(readings);
    if (!worst || verdict.noise > worst->noise) worst = std::move(verdict);
  }
  if (!worst) {
    measure::set_missing(outcome, "noise_verdict", "no canary ran beside this cell");
    return;
  }
  measure::put_noise(outcome.values, *worst);
  if (worst->noise != measure::Noise::Fit) outcome.warnings.push_back(worst->text);
}

std::optional<double> number(const Outcome& outcome, const char* key) {
  const auto found = outcome.values.find(key);
  if (found == outcome.values.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

void put_roofline(Outcome& outcome) {
  const auto flops = number(outcome, "flops"), bytes = number(outcome, "traffic_bytes");
  const auto peak = number(outcome, "peak_flops_per_s");
  const auto bandwidth = number(outcome, "peak_bandwidth_bytes_per_s");
  const auto batch = number(outcome, "batch_time_ns");
  if (!flops || !bytes || !peak || !bandwidth || !batch) return;
  if (*peak <= 0 || *bandwidth <= 0 || *batch <= 0) return;
  const auto floor = measure::floor_of(*flops, *bytes, *peak, *bandwidth);
  const auto share = measure::share_of(floor, *batch);
  outcome.values["roofline_floor_ns"] = floor.ns();
  outcome.values["roofline_share"] = share;
  if (auto text = measure::share_warning(share); !text.empty()) outcome.warnings.push_back(text);
}

void put_cpus(const std::vector<Life>& lives, Outcome& outcome) {
  double cpu_ns = 0, wall_ns = 0;
  for (const auto& life : lives)
    for (const auto* round : life.rounds) {
      const auto& block = *block_of(*round, outcome.cell_id);
      const auto cpus = block.values.find("cpus_used");
      if (cpus == block.values.end() || !cpus->is_number()) return;
      cpu_ns += cpus->get<double>() * static_cast<double>(block.wall_ns);
      wall_ns += static_cast<double>(block.wall_ns);
    }
  if (wall_ns <= 0) return;
  outcome.values["cpus_used"] = cpu_ns / wall_ns;
  const auto allowed = number(outcome, "cpus_allowed");
  if (!allowed || *allowed < 1 || *allowed > 1e6) return;
  auto warning = measure::thread_parity_warning({cpu_ns / wall_ns, {}}, static_cast<int>(*allowed),
                                                static_cast<std::int64_t>(wall_ns));
  if (!warning.empty()) outcome.warnings.push_back(std::move(warning));
}

// Idle tasks of a pool use next to nothing; one that computes, far more than this.
constexpr double kComputingCpus = 0.1;

const Block* end_block_of(const Life& life, const std::string& cell_id) {
  if (!life.end) return nullptr;
  for (const auto& block : life.end->blocks)
    if (std::ranges::find(block.cell_ids, cell_id) != block.cell_ids.end()) return &block;
  return nullptr;
}

// A pool may be larger than its CPUs and use no more of them: its tasks then wait for each other.
void put_tasks(const std::vector<Life>& lives, Outcome& outcome) {
  const auto* block = end_block_of(lives.back(), outcome.cell_id);
  if (!block || !block->values.contains("cpus_used_by_task")) return;
  const auto& tasks = outcome.values["cpus_used_by_task"] = block->values["cpus_used_by_task"];
  const auto computing = std::ranges::count_if(tasks, [](const Json& task) {
    return task.is_object() && task.value("cpus", Json()).is_number() &&
           task["cpus"].get<double>() >= kComputingCpus;
  });
  const auto allowed = number(outcome, "cpus_allowed");
  if (allowed && static_cast<double>(computing) > *allowed)
    outcome.warnings.push_back(
        fmt::format("{} tasks computed where {:.0f} CPUs were allowed", computing, *allowed));
}

void put_timed(const std::vector<Life>& lives, Outcome& outcome) {
  put_counts(lives, outcome);
  put_speed(lives, outcome);
  put_comparison(lives, outcome);
  put_noise(lives, outcome);
  put_cpus(lives, outcome);
  put_tasks(lives, outcome);
  if (outcome.cell.workload == "throughput") put_roofline(outcome);
}

void put_passes(const std::vector<Life>& lives, Outcome& outcome) {
  std::vector<const Block*> blocks;
  for (const auto& life : lives) blocks.push_back(block_of(*life.rounds.front(), outcome.cell_id));
  put_pass(blocks, outcome);
}

void put_figures(const std::vector<Life>& lives, Outcome& outcome) {
  if (timed(outcome.cell.workload))
    put_timed(lives, outcome);
  else
    put_passes(lives, outcome);
}

// A cell that failed once has failed, and is not ranked; what its whole launches told stays beside
// the failure.
Outcome failed_cell(const Journal& journal, const Outcome& failure,
                    const std::vector<Life>& lives) {
  std::vector<Life> whole;
  std::ranges::copy_if(lives, std::back_inserter(whole), &Life::complete);
  auto outcome = failure;
  if (!whole.empty()) {
    outcome = *cell_of(*whole.back().launch, failure.cell_id);
    put_figures(whole, outcome);
    outcome.status = failure.status;
    outcome.stage = failure.stage;
    outcome.reason = failure.reason;
    outcome.values.update(failure.values);
    outcome.warnings.push_back(fmt::format(
        "the figures are of the {} of {} launches that ended well", whole.size(), lives.size()));
  }
  put_environment(journal, whole.empty() ? lives : whole, outcome);
  return outcome;
}

Outcome summarise_cell(const Journal& journal, const std::string& cell_id) {
  const auto lives = lives_of(journal, cell_id);
  if (const auto* failure = failure_of(journal, cell_id))
    return failed_cell(journal, *failure, lives);
  auto outcome = *cell_of(*lives.back().launch, cell_id);
  const auto chosen = chosen_lives(lives, outcome);
  if (chosen.empty()) {
    outcome.status = Status::Skipped;
    outcome.stage = "measure";
    outcome.reason = "interrupted before anything of it was measured; --resume goes on";
  } else {
    put_figures(chosen, outcome);
  }
  put_environment(journal, chosen.empty() ? lives : chosen, outcome);
  return outcome;
}

}  // namespace

const Outcome* failure_of(const Journal& journal, const std::string& cell_id) {
  const auto failed = [&](const Outcome& outcome) {
    return outcome.cell_id == cell_id && outcome.status != Status::Ok &&
           outcome.status != Status::Skipped;
  };
  for (const auto& launch : journal.launches)
    for (const auto& cell : launch.cells)
      if (failed(cell)) return &cell;
  for (const auto& outcome : journal.outcomes)
    if (failed(outcome)) return &outcome;
  return nullptr;
}

std::int64_t complete_launches(const Journal& journal, const std::string& cell_id) {
  const auto lives = lives_of(journal, cell_id);
  return std::ranges::count_if(lives, &Life::complete);
}

std::vector<Outcome> summarise(const Journal& journal) {
  std::vector<Outcome> outcomes;
  std::set<std::string> seen;
  for (const auto& launch : journal.launches)
    for (const auto& cell : launch.cells)
      if (seen.insert(cell.cell_id).second)
        outcomes.push_back(summarise_cell(journal, cell.cell_id));
  for (const auto& outcome : journal.outcomes)
    if (seen.insert(outcome.cell_id).second) {
      outcomes.push_back(outcome);
      put_environment(journal, {}, outcomes.back());
    }
  put_memory_fits(outcomes);
  return outcomes;
}

}  // namespace inferometer::campaign
