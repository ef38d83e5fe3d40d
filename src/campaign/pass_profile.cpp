// SPDX-License-Identifier: Apache-2.0
// Time by node, as the engine itself tells it. Profiling costs time: a process of its own, and no
// figure of any other workload.
#include <algorithm>
#include <map>

#include "campaign/pass.hpp"
#include "measure/statistics.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kWarmUpBatches = 3;
constexpr int kCalls = 10;  // engines that profile only the last run are asked as often
constexpr const char* kParam = "profiling";

Json call_profile(CellWorker& worker) {
  worker.block(1, process::Poison::Off);
  const auto text = worker.profile();
  return text.empty() ? Json::array() : parse_json(text, "profile");
}

// Nodes in the order of the first call, the median over calls of each.
Json median_rows(const std::vector<Json>& calls) {
  std::map<std::string, std::vector<double>> times;
  for (const auto& call : calls)
    for (const auto& row : call)
      times[row.at("node").get<std::string>()].push_back(row.at("ns").get<double>());
  auto rows = calls.front();
  for (auto& row : rows)
    row["ns"] = static_cast<std::int64_t>(measure::median(times.at(row.at("node"))));
  return rows;
}

Json values_of(const Json& rows, std::int64_t batch_ns) {
  std::int64_t total = 0;
  for (const auto& row : rows) total += row.at("ns").get<std::int64_t>();
  return {{"profile_nodes", rows}, {"profile_total_ns", total}, {"profile_batch_ns", batch_ns}};
}

}  // namespace

std::optional<Json> profile_pass(Session& session, const Seat& seat) {
  auto cell = seat.entrant->contender->cell;
  const auto engines = session.lab.engines();
  const auto& specs = engine_named(engines, cell.engine).params;
  if (std::ranges::find(specs, kParam, &ParamSpec::name) != specs.end())
    cell.params.insert_or_assign(kParam, true);
  const auto worker = session.lab.worker(cell);
  worker->load();
  worker->prepare(batch_for(session, seat));
  worker->block(kWarmUpBatches, process::Poison::Off);
  const auto report = worker->block(kCalls, process::Poison::Off);
  std::vector<Json> calls;
  for (int call = 0; call < kCalls; ++call) {
    if (session.stop.stop_requested()) return std::nullopt;
    calls.push_back(call_profile(*worker));
  }
  if (calls.front().empty())
    throw Error(Status::Unsupported, cell.engine + " gives no profile of its nodes");
  return values_of(median_rows(calls), report.wall_ns / report.batches);
}

}  // namespace inferometer::campaign
