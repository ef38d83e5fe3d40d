// SPDX-License-Identifier: Apache-2.0
#include "campaign/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/text.hpp"
#include "campaign/cells.hpp"
#include "campaign/pass.hpp"
#include "campaign/summary.hpp"
#include "core/unified.hpp"
#include "measure/environment.hpp"

namespace inferometer::campaign {
namespace {

std::map<std::string, ModelFacts> read_models(const BenchOptions& options, Lab& lab) {
  std::map<std::string, ModelFacts> models;
  for (const auto& model : options.models) models.emplace(model, lab.model(model));
  return models;
}

// Their params by type, and their ids.
void name_cells(std::vector<Contender>& contenders, const BenchOptions& options,
                const std::map<std::string, ModelFacts>& models,
                const std::vector<EngineStatus>& engines, Lab& lab) {
  for (auto& contender : contenders) {
    const auto& engine = engine_named(engines, contender.cell.engine);
    contender.cell.params = core::typed_params(contender.cell.params, engine.params);
    for (const auto& workload : options.workloads)
      contender.ids[workload] =
          cell_id(contender.with(workload), models.at(contender.cell.model), engine,
                  lab.plugin_hash(engine.name), options.latency_bound);
  }
}

// An engine that can't be had here is not tried: its cells say why.
void record_unavailable(Session& session, const std::vector<Contender>& contenders,
                        const std::vector<EngineStatus>& engines) {
  for (const auto& contender : contenders) {
    const auto& engine = engine_named(engines, contender.cell.engine);
    if (engine.available) continue;
    for (const auto& [workload, id] : contender.ids) {
      if (failure_of(session.journal, id)) continue;
      const auto cell = contender.with(workload);
      session.record({.cell_id = id,
                      .cell = cell,
                      .status = Status::Unavailable,
                      .stage = "probe",
                      .reason = engine.reason,
                      .rerun = rerun_line(cell, session.options)});
    }
  }
}

constexpr double kMemoryShare = 0.9;  // of what is free: predictions err

std::string gibibytes(double bytes) {
  return fmt::format("{:.2f} GiB", bytes / (1 << 30));
}

// Weights and activations alone are more than there is: the machine would swap before it told us.
void skip_too_large(Session& session, const std::vector<Contender>& contenders, double free) {
  for (const auto& contender : contenders) {
    const auto least = session.cost.least_bytes(contender.cell);
    if (least <= free) continue;
    const auto reason = fmt::format("it needs at least {} and {} are free: take a smaller batch",
                                    gibibytes(least), gibibytes(free));
    for (const auto& [workload, id] : contender.ids)
      if (!failure_of(session.journal, id) && complete_launches(session.journal, id) == 0)
        session.too_large.emplace(id, reason);
  }
}

// Workers of a group live at the same time.
std::vector<Group> groups_that_fit(const Session& session, const std::vector<Contender>& contenders,
                                   double free) {
  return group(contenders, session.options.control, [&](const auto& members) {
    double bytes = 0;
    for (const auto member : members) bytes += session.cost.peak_bytes(contenders[member].cell);
    return bytes <= kMemoryShare * free;
  });
}

std::int64_t wanted_launches(const BenchOptions& options, const std::string& workload) {
  const auto* pass = pass_of(workload);
  return pass && pass->repeat == Pass::Repeat::Once ? 1 : options.launches;
}

std::vector<std::string> missing(const Session& session, const Contender& contender,
                                 std::int64_t lap) {
  std::vector<std::string> workloads;
  for (const auto& workload : session.options.workloads) {
    const auto& id = contender.ids.at(workload);
    if (failure_of(session.journal, id) || session.too_large.contains(id)) continue;
    if (lap <= wanted_launches(session.options, workload) &&
        complete_launches(session.journal, id) < lap)
      workloads.push_back(workload);
  }
  return workloads;
}

std::vector<std::string> possible(const Session& session, const Contender& contender) {
  std::vector<std::string> workloads;
  for (const auto& workload : session.options.workloads)
    if (const auto& id = contender.ids.at(workload);
        !pass_of(workload) && !failure_of(session.journal, id) && !session.too_large.contains(id))
      workloads.push_back(workload);
  return workloads;
}

bool wanted(const LaunchPlan& plan, const std::string& workload) {
  return std::ranges::any_of(plan.entrants, [&](const Entrant& entrant) {
    return std::ranges::find(entrant.workloads, workload) != entrant.workloads.end();
  });
}

// The control runs whatever the others are timed at, even where nothing of its own is missing.
void add_control(const Session& session, const Contender& control, LaunchPlan& plan) {
  if (plan.entrants.front().contender != &control)
    plan.entrants.insert(plan.entrants.begin(), {&control, {}});
  auto& own = plan.entrants.front().workloads;
  for (const auto& workload : possible(session, control))
    if (wanted(plan, workload) && std::ranges::find(own, workload) == own.end())
      own.push_back(workload);
  plan.has_control = !own.empty();
  if (own.empty()) plan.entrants.erase(plan.entrants.begin());
}

// Who runs in this lap over the groups: those with something missing, and the control if they need
// it. Empty: nobody.
LaunchPlan plan_launch(const Session& session, const Group& group,
                       const std::vector<Contender>& contenders, std::int64_t lap) {
  LaunchPlan plan{.group = group.name, .has_control = group.members.size() > 1};
  for (const auto member : group.members) {
    Entrant entrant{&contenders[member], missing(session, contenders[member], lap)};
    if (!entrant.workloads.empty()) plan.entrants.push_back(std::move(entrant));
  }
  if (plan.entrants.empty() || !plan.has_control) return plan;
  add_control(session, contenders[group.control], plan);
  return plan;
}

std::int64_t next_launch(const Journal& journal) {
  std::int64_t last = 0;
  for (const auto& launch : journal.launches) last = std::max(last, launch.launch);
  return last + 1;
}

// What lies ahead, as planned before anything failed: for the time left only.
std::vector<LaunchPlan> plans_ahead(const Session& session, const std::vector<Group>& groups,
                                    const std::vector<Contender>& contenders) {
  std::vector<LaunchPlan> plans;
  for (std::int64_t lap = 1; lap <= session.options.launches; ++lap)
    for (const auto& group : groups) plans.push_back(plan_launch(session, group, contenders, lap));
  return plans;
}

double cost_of(const Session& session, std::span<const LaunchPlan> plans) {
  double seconds = 0;
  std::set<std::string> models = session.golden_models;
  for (const auto& plan : plans) {
    if (plan.entrants.empty()) continue;
    const auto& first = *plan.entrants.front().contender;
    if (models.insert(first.cell.model).second) seconds += golden_cost_s(session, first);
    seconds += launch_cost_s(session, plan);
  }
  return seconds;
}

void run_laps(Session& session, const std::vector<Group>& groups,
              const std::vector<Contender>& contenders) {
  const auto ahead = plans_ahead(session, groups, contenders);
  std::span<const LaunchPlan> left = ahead;
  session.meter->left(cost_of(session, left));
  for (std::int64_t lap = 1; lap <= session.options.launches; ++lap) {
    const auto launch = next_launch(session.journal);
    for (const auto& group : groups) {
      if (session.stop.stop_requested()) return;
      left = left.subspan(1);
      auto plan = plan_launch(session, group, contenders, lap);
      if (plan.entrants.empty()) continue;
      plan.launch = launch;
      plan.rounds = planned_rounds(session, plan);
      run_launch(session, plan);
      session.cost.know(observations_of(session.journal));
      session.meter->left(cost_of(session, left));
    }
  }
}

std::string interrupted_text(const BenchOptions& options) {
  const std::string text = "interrupted before anything of it was measured";
  return options.journal.empty() ? text : text + "; --resume goes on";
}

// Cells that no launch met and no failure ended have an outcome all the same.
void add_skipped(Session& session, const std::vector<Contender>& contenders) {
  std::set<std::string> met;
  for (const auto& launch : session.journal.launches)
    for (const auto& cell : launch.cells) met.insert(cell.cell_id);
  for (const auto& outcome : session.journal.outcomes) met.insert(outcome.cell_id);
  for (const auto& contender : contenders)
    for (const auto& [workload, id] : contender.ids) {
      if (met.contains(id)) continue;
      const auto cell = contender.with(workload);
      const auto large = session.too_large.find(id);
      keep_outcome(session.journal,
                   {.cell_id = id,
                    .cell = cell,
                    .status = Status::Skipped,
                    .stage = "measure",
                    .reason = large == session.too_large.end() ? interrupted_text(session.options)
                                                               : large->second,
                    .rerun = rerun_line(cell, session.options)});
    }
}

// Labels depend on what else is measured; this campaign's own count.
std::vector<measure::Outcome> final_outcomes(Session& session,
                                             const std::vector<Contender>& contenders) {
  add_skipped(session, contenders);
  const auto summary = summarise(session.journal);
  std::vector<measure::Outcome> outcomes;
  for (const auto& contender : contenders)
    for (const auto& workload : session.options.workloads) {
      const auto& id = contender.ids.at(workload);
      outcomes.push_back(*std::ranges::find(summary, id, &measure::Outcome::cell_id));
      outcomes.back().cell.label = contender.cell.label;
    }
  return outcomes;
}

std::int64_t given_batch(const Params& params) {
  const auto found = params.find("batch_size");
  if (found == params.end()) return kOwnBatch;
  const auto batch = integer_param(params, "batch_size", -1);
  if (batch < 1 || to_string(found->second) != std::to_string(batch))
    throw Error(Status::Invalid,
                fmt::format("batch_size '{}': expected an integer of at least 1",
                            printable(to_string(found->second))),
                {{"param", "batch_size"}});
  return batch;
}

struct OpenJournal {
  std::unique_ptr<JournalSink> sink;
  Journal before;
};

OpenJournal open_journal(const BenchOptions& options) {
  if (options.journal.empty()) return {std::make_unique<JournalMemory>(), {.name = "memory"}};
  auto file = std::make_unique<JournalFile>(
      options.journal, options.resume ? JournalFile::Open::Resume : JournalFile::Open::New);
  auto before = file->before();
  return {std::move(file), std::move(before)};
}

Header make_header(Lab& lab) {
  const auto machine = lab.machine();
  return {measure::build_facts().value("version", "unknown"),
          lab.utc(),
          {{"machine_id", measure::machine_id(machine)}, {"machine", machine}}};
}

void start_journal(JournalSink& sink, Journal& journal, Lab& lab) {
  auto header = make_header(lab);
  if (journal.header.version.empty()) {
    sink.append(to_json(header));
    journal.header = std::move(header);
    return;
  }
  const auto& before = journal.header.fingerprint;
  if (before.value("machine_id", "") != header.fingerprint.value("machine_id", ""))
    throw Error(Status::Invalid,
                fmt::format("journal {}: it was measured on another machine (or this one has "
                            "changed); start a new journal",
                            journal.name));
}

}  // namespace

BenchResult bench(const BenchOptions& options, Lab& lab, const Progress& progress,
                  std::stop_token stop) {
  check_options(options);
  const auto engines = lab.engines();
  for (const auto& name : options.engines) engine_named(engines, name);
  auto contenders = expand(options);
  auto models = read_models(options, lab);
  name_cells(contenders, options, models, engines, lab);
  auto [sink, journal] = open_journal(options);
  start_journal(*sink, journal, lab);

  Session session{.options = options,
                  .lab = lab,
                  .sink = *sink,
                  .journal = journal,
                  .stop = stop,
                  .models = std::move(models),
                  .profile = kept_profile(options.cache_dir, measure::machine_id(lab.machine()))};
  session.cost.know(observations_of(journal));
  record_unavailable(session, contenders, engines);
  const auto free = lab.free_bytes();
  skip_too_large(session, contenders, free);
  const auto groups = groups_that_fit(session, contenders, free);
  WorkMeter meter(progress, lab);
  session.meter = &meter;
  run_laps(session, groups, contenders);

  auto outcomes = final_outcomes(session, contenders);
  for (const auto& outcome : outcomes) session.record(outcome);
  return {std::move(journal), std::move(outcomes), stop.stop_requested()};
}

BenchResult run(const RunOptions& options, Lab& lab, const Progress& progress,
                std::stop_token stop) {
  BenchOptions alone;
  alone.models = {options.model};
  alone.engines = {options.engine};
  alone.workloads = options.workloads;
  alone.latency_bound = options.latency_bound;
  alone.rounds = options.rounds;
  alone.usual_rounds = kRunRounds;
  alone.block_s = options.block_s;
  alone.expect = options.expect;
  alone.cache_dir = options.cache_dir;
  alone.power_log = options.power_log;
  alone.seed = options.seed;
  alone.batch_sizes = {given_batch(options.params)};
  for (const auto& [name, value] : options.params)
    if (name != "batch_size") alone.params.push_back({name, {value}});
  return bench(alone, lab, progress, stop);
}

}  // namespace inferometer::campaign
