// SPDX-License-Identifier: Apache-2.0
// Memory by phase, in a process that does nothing else.
#include <algorithm>

#include "campaign/pass.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kMemoryBatches = 3;
constexpr double kGrowthNs = 2e9;  // how long a leak is looked for
constexpr std::int64_t kMostBlocks = 7;

// By how much each further batch grows the process: nothing, unless something leaks. Blocks as long
// as the one before: with batches in flight our own buffers are as large as the block.
double growth_per_batch(CellWorker& worker, std::int64_t block_ns) {
  const double wanted = kGrowthNs / static_cast<double>(std::max<std::int64_t>(1, block_ns));
  const auto blocks =
      static_cast<std::int64_t>(std::clamp(wanted, 1.0, static_cast<double>(kMostBlocks)));
  const auto before = worker.anonymous_bytes();
  for (std::int64_t block = 0; block < blocks; ++block)
    worker.block(kMemoryBatches, process::Poison::Off);
  return static_cast<double>(worker.anonymous_bytes() - before) /
         static_cast<double>(blocks * kMemoryBatches);
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
  std::int64_t block_ns = 0;
  phase(MemoryPhase::Steady,
        [&] { block_ns = worker->block(kMemoryBatches, process::Poison::Off).wall_ns; });
  const auto growth = growth_per_batch(*worker, block_ns);
  phase(MemoryPhase::Released, [&] { worker->unload(); });
  auto values = worker->memory();
  values["memory_growth_bytes"] = static_cast<std::int64_t>(growth);
  return values;
}

}  // namespace inferometer::campaign
