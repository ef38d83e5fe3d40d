// SPDX-License-Identifier: Apache-2.0
// Lists of options -> contenders -> groups. Pure data and pure functions.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "campaign/bench.hpp"
#include "campaign/check.hpp"

namespace inferometer::campaign {

/// One (model, engine, params): the cells of its workloads share workers.
struct Contender {
  measure::Cell cell;                      ///< workload left empty
  std::map<std::string, std::string> ids;  ///< workload -> cell_id
  measure::Cell with(const std::string& workload) const;
};

/// What is compared with each other: at most kGroupSize contenders and a control, by index.
struct Group {
  std::string name;
  std::size_t control = 0;
  std::vector<std::size_t> members;  ///< the control first
};
inline constexpr std::size_t kGroupSize = 3;

/// Throws Error{Invalid} for empty lists, duplicates, a workload that isn't one, a batch size or a
/// count below 1, rate without a latency bound.
void check_options(const BenchOptions& options);
void check_workloads(const std::vector<std::string>& given);

/// "onnxruntime threads=2": the engine, the cell's own param `label`, and what else varies.
std::string label_of(const measure::Cell& cell, const std::vector<std::string>& varying);

/// Models x batch sizes x engines x params lists, in this order of nesting.
std::vector<Contender> expand(const BenchOptions& options);

/// Whether the workers of these contenders can be resident together.
using Fits = std::function<bool(const std::vector<std::size_t>& members)>;

/// Same model and batch size; a model measured on one engine with one choice of params is compared
/// over its batch sizes instead. The control: the first of engine `control`, else the first. A
/// group that would not fit is parted; a contender and the control are never.
std::vector<Group> group(const std::vector<Contender>& contenders, const std::string& control,
                         const Fits& fits = {});

/// XXH3-128, hex, of model, plugin and library, requested params, workload, shapes and, for
/// workload rate, the latency bound.
std::string cell_id(const measure::Cell& cell, const ModelFacts& facts, const EngineStatus& engine,
                    const std::string& plugin_hash,
                    const std::optional<measure::LatencyBound>& latency_bound = {});

/// `inferometer run MODEL --engine E -p k=v --workload w`, quoted for a shell, with what differs
/// from the defaults of run.
std::string rerun_line(const measure::Cell& cell, const BenchOptions& options);
/// `inferometer check MODEL --engines E -p k=v`, with what differs from the defaults of check.
std::string check_line(const measure::Cell& cell, const CheckOptions& options);

}  // namespace inferometer::campaign
