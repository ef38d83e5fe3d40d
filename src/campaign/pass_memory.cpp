// SPDX-License-Identifier: Apache-2.0
// Memory by phase, in a process that does nothing else.
#include <algorithm>

#include "campaign/pass.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kMemoryBatches = 3;
constexpr double kGrowthNs = 2e9;  // how long a leak is looked for
constexpr std::int64_t kMostGrowthBatches = 20;

// By how much each further batch grows the process: nothing, unless something leaks.
double growth_per_batch(CellWorker& worker, std::int64_t batch_ns) {
  const auto batches = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(kGrowthNs /
                                static_cast<double>(std::max<std::int64_t>(1, batch_ns))),
      1, kMostGrowthBatches);
  const auto before = worker.anonymous_bytes();
  worker.block(batches, process::Poison::Off);
  return static_cast<double>(worker.anonymous_bytes() - before) / static_cast<double>(batches);
}

}  // namespace

std::optional<Json> memory_pass(Session& session, const Seat& seat) {
  using measure::MemoryPhase;
  const auto worker = session.lab.worker(seat.entrant->contender->cell);
  const auto phase = [&](MemoryPhase ended, const auto& work) {
    worker->begin_phase();
    work();
    worker->end_phase(ended);
  };
  phase(MemoryPhase::Process, [] {});
  phase(MemoryPhase::Library, [&] { worker->open_library(); });
  phase(MemoryPhase::Model, [&] { worker->load(); });
  worker->prepare(batch_for(session, seat));
  std::int64_t batch_ns = 0;
  phase(MemoryPhase::Steady, [&] {
    batch_ns = worker->block(kMemoryBatches, process::Poison::Off).wall_ns / kMemoryBatches;
  });
  const auto growth = growth_per_batch(*worker, batch_ns);
  phase(MemoryPhase::Released, [&] { worker->unload(); });
  auto values = worker->memory();
  values["memory_growth_bytes"] = static_cast<std::int64_t>(growth);
  return values;
}

}  // namespace inferometer::campaign
