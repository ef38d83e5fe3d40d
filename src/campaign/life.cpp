// SPDX-License-Identifier: Apache-2.0
#include "campaign/life.hpp"

#include <algorithm>

namespace inferometer::campaign {
namespace {

using measure::Outcome;

const LaunchEnd* end_of(const Journal& journal, const Launch& launch) {
  for (const auto& end : journal.ends)
    if (end.launch == launch.launch && end.group == launch.group) return &end;
  return nullptr;
}

Life life_of(const Journal& journal, const Launch& launch, const Outcome& cell) {
  Life life{.launch = &launch, .end = end_of(journal, launch)};
  const bool wants_rounds = timed(cell.cell.workload);
  for (const auto& round : journal.rounds)
    if (round.launch == launch.launch && round.group == launch.group &&
        (round.round > 0) == wants_rounds && block_of(round, cell.cell_id))
      life.rounds.push_back(&round);
  life.complete = is_complete(launch, cell, life.rounds.size());
  return life;
}

}  // namespace

std::vector<Life> lives_of(const Journal& journal, const std::string& cell_id) {
  std::vector<Life> lives;
  for (const auto& launch : journal.launches)
    if (const auto* cell = cell_of(launch, cell_id))
      lives.push_back(life_of(journal, launch, *cell));
  return lives;
}

bool timed(const std::string& workload) {
  return workload == "throughput" || workload == "latency";
}

bool is_complete(const Launch& launch, const Outcome& cell, std::size_t blocks) {
  const auto needed = timed(cell.cell.workload) ? static_cast<std::size_t>(launch.rounds) : 1u;
  return cell.status == Status::Ok && blocks > 0 && blocks >= needed;
}

const Block* block_of(const Round& round, const std::string& cell_id) {
  for (const auto& block : round.blocks)
    if (std::ranges::find(block.cell_ids, cell_id) != block.cell_ids.end()) return &block;
  return nullptr;
}

const Outcome* cell_of(const Launch& launch, const std::string& cell_id) {
  const auto found = std::ranges::find(launch.cells, cell_id, &Outcome::cell_id);
  return found == launch.cells.end() ? nullptr : &*found;
}

std::vector<const Round*> kept_rounds(const Life& life) {
  std::vector<const Round*> kept;
  std::ranges::copy_if(life.rounds, std::back_inserter(kept),
                       [](const Round* round) { return !round->rejected; });
  return kept.empty() ? life.rounds : kept;
}

std::optional<measure::CanaryReading> reading_of(const Round& round, const char* when) {
  const auto found = round.canary.find(when);
  if (found == round.canary.end() || !found->contains("canary_fma_ns") ||
      !found->contains("canary_stream_ns") || !(*found)["canary_fma_ns"].is_number_integer() ||
      !(*found)["canary_stream_ns"].is_number_integer())
    return std::nullopt;
  return measure::CanaryReading{(*found)["canary_fma_ns"].get<std::int64_t>(),
                                (*found)["canary_stream_ns"].get<std::int64_t>()};
}

}  // namespace inferometer::campaign
