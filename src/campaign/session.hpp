// SPDX-License-Identifier: Apache-2.0
// What a running campaign carries from step to step. Internal to this folder.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "campaign/bench.hpp"
#include "campaign/cells.hpp"
#include "campaign/cost.hpp"
#include "campaign/machine_profile.hpp"

namespace inferometer::campaign {

/// Work done and to be done, in seconds as predicted: only their ratio is trusted.
class WorkMeter {
 public:
  WorkMeter(const Progress& progress, Lab& lab);
  /// `work_s` more is done; tells what comes next.
  void done(double work_s, const std::string& doing);
  double spent_s() const noexcept { return done_s_; }
  /// So much is left, by what is known now.
  void left(double work_s) { left_s_ = work_s; }

 private:
  const Progress& progress_;
  Lab& lab_;
  std::int64_t start_ns_;
  double done_s_ = 0, left_s_ = 0;
  double share_ = 0;  ///< that was told: it never falls
};

struct Session {
  const BenchOptions& options;
  Lab& lab;
  JournalSink& sink;
  Journal& journal;  ///< what sink has, in memory
  std::stop_token stop;
  std::map<std::string, ModelFacts> models;
  std::map<std::string, Golden> goldens;  ///< by model, dims and rows
  std::map<std::pair<std::string, std::int64_t>, std::vector<Tensor>> batches;  ///< and rows
  std::set<std::string> golden_models;           ///< whose right answers are known
  std::int64_t golden_ns = 0;                    ///< that they took
  std::map<std::string, std::string> too_large;  ///< cell_ids that would not fit, and why
  std::optional<MachineProfile> profile;         ///< of this machine, if one was made
  bool has_canary = false;                       ///< its process runs
  CostModel cost{models, profile ? &*profile : nullptr};
  WorkMeter* meter = nullptr;

  void record(Launch launch);
  void record(Round round);
  void record(LaunchEnd end);
  void record(const measure::Outcome& outcome);
};

/// One contender of a launch and the workloads that are still missing for it.
struct Entrant {
  const Contender* contender = nullptr;
  std::vector<std::string> workloads;
};

struct LaunchPlan {
  std::int64_t launch = 1;
  std::string group;
  bool has_control = true;  ///< entrants[0] is what the others are compared with
  std::int64_t rounds = 0;
  std::vector<Entrant> entrants;
};

/// Loads, checks, measures in rounds, then the passes; everything goes to the journal as it
/// happens. Failures are recorded, not thrown; only the journal's own errors are. Returns early
/// when a stop is requested.
void run_launch(Session& session, const LaunchPlan& plan);

/// Predicted seconds: of the whole launch, of loading and checking one contender, of warming up, of
/// one round, of one pass; and of the right answers for one model, which are in none of the others.
double launch_cost_s(const Session& session, const LaunchPlan& plan);
double seat_cost_s(const Session& session, const Contender& contender);
double warm_up_cost_s(const Session& session, const LaunchPlan& plan);
double round_cost_s(const Session& session, const LaunchPlan& plan);
double pass_cost_s(const Session& session, const Contender& contender, const std::string& workload);
double golden_cost_s(const Session& session, const Contender& contender);
/// As asked for, else from the cost of a block.
std::int64_t planned_rounds(const Session& session, const LaunchPlan& plan);

/// An integer param as asked for or resolved, else `fallback`.
std::int64_t integer_param(const Params& params, const std::string& name, std::int64_t fallback);
std::string text_param(const Params& params, const std::string& name, const std::string& fallback);

/// Rows of one batch: batch_size, else what the inputs fix, else 1.
std::int64_t batch_rows(const Params& params, const std::vector<Port>& inputs);
std::int64_t batch_rows(const Info& info);  ///< of a loaded model

}  // namespace inferometer::campaign
