// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "campaign/cost.hpp"
#include "measure/statistics.hpp"

namespace inferometer::campaign {
namespace {

// Cells differ from their contender by the workload alone.
struct Known {
  std::vector<Observation> all;
  std::map<std::string, std::size_t> by_id;

  void add(const measure::Outcome& outcome) {
    auto cell = outcome.cell;
    cell.workload.clear();
    const auto same = std::ranges::find_if(all, [&](const Observation& each) {
      return each.cell.model == cell.model && each.cell.engine == cell.engine &&
             each.cell.params == cell.params;
    });
    by_id[outcome.cell_id] = static_cast<std::size_t>(same - all.begin());
    if (same == all.end()) all.push_back({std::move(cell), {}, {}, {}});
  }
};

std::optional<double> number(const Json& values, const char* key) {
  const auto found = values.find(key);
  if (found == values.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

void learn_load(const Json& values, Observation& observation) {
  if (const auto ns = number(values, "worker_load_ns")) observation.load_s = *ns / 1e9;
}

void learn_peak(const Json& values, Observation& observation) {
  const auto load = number(values, "memory_load_peak_bytes");
  const auto run = number(values, "memory_run_peak_bytes");
  if (load && run) observation.peak_bytes = std::max(*load, *run);
}

// Seconds per batch of each block, by (launch, cell).
using Times = std::map<std::size_t, std::vector<double>>;

void collect(const Block& block, const Known& known, Times& times) {
  if (block.batches <= 0 || block.wall_ns <= 0 || block.cell_ids.empty()) return;
  const auto found = known.by_id.find(block.cell_ids.front());
  if (found == known.by_id.end()) return;
  times[found->second].push_back(static_cast<double>(block.wall_ns) / 1e9 /
                                 static_cast<double>(block.batches));
}

}  // namespace

std::vector<Observation> observations_of(const Journal& journal) {
  Known known;
  for (const auto& launch : journal.launches)
    for (const auto& cell : launch.cells) {
      known.add(cell);
      learn_load(cell.values, known.all[known.by_id.at(cell.cell_id)]);
    }
  Times times;
  for (const auto& round : journal.rounds)
    for (const auto& block : round.blocks) {
      collect(block, known, times);
      for (const auto& id : block.cell_ids)
        if (const auto found = known.by_id.find(id); found != known.by_id.end())
          learn_peak(block.values, known.all[found->second]);
    }
  for (const auto& [index, all] : times) known.all[index].batch_s = measure::median(all);
  return std::move(known.all);
}

}  // namespace inferometer::campaign
