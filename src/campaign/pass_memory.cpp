// SPDX-License-Identifier: Apache-2.0
// Memory by phase, in a process that does nothing else.
#include "campaign/pass.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kMemoryBatches = 3;

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
  phase(MemoryPhase::Steady, [&] { worker->block(kMemoryBatches, process::Poison::Off); });
  phase(MemoryPhase::Released, [&] { worker->unload(); });
  return worker->memory();
}

}  // namespace inferometer::campaign
