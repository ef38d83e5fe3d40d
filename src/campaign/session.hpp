// SPDX-License-Identifier: Apache-2.0
// What a running campaign carries from step to step. Internal to this folder.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "campaign/bench.hpp"
#include "campaign/cells.hpp"

namespace inferometer::campaign {

/// Work done and to be done, in seconds as guessed beforehand: only their ratio is trusted.
class WorkMeter {
 public:
  WorkMeter(const Progress& progress, Lab& lab, double total_s);
  /// `work_s` more is done; tells what comes next.
  void done(double work_s, const std::string& doing);

 private:
  const Progress& progress_;
  Lab& lab_;
  std::int64_t start_ns_;
  double total_s_;
  double done_s_ = 0;
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
  WorkMeter* meter = nullptr;

  void record(Launch launch);
  void record(Round round);
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
  std::vector<Entrant> entrants;
};

/// Loads, checks, measures in rounds, then the passes; everything goes to the journal as it
/// happens. Failures are recorded, not thrown; only the journal's own errors are. Returns early
/// when a stop is requested.
void run_launch(Session& session, const LaunchPlan& plan);

/// Seconds that a launch of this plan may take: a guess from the MACs and the options.
double guess_launch_s(const Session& session, const LaunchPlan& plan);
double guess_round_s(const Session& session, const LaunchPlan& plan);

/// An integer param as asked for or resolved, else `fallback`.
std::int64_t integer_param(const Params& params, const std::string& name, std::int64_t fallback);
std::string text_param(const Params& params, const std::string& name, const std::string& fallback);

/// Rows of one batch of a loaded model: batch_size, else what its ports fix, else 1.
std::int64_t batch_rows(const Info& info);

}  // namespace inferometer::campaign
