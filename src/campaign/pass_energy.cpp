// SPDX-License-Identifier: Apache-2.0
// Energy per sample: the machine with the loaded worker parked, then computing, then parked again,
// each for a while that counters and meters can tell.
#include <exception>

#include "campaign/pass.hpp"
#include "measure/schedule.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::int64_t kBlockNs = 1'000'000'000;  // a stop request is honoured behind each
constexpr std::int64_t kLeastBatches = 5;

class WarmUp : public measure::Subject {
 public:
  explicit WarmUp(CellWorker& worker) : worker_(worker) {}
  measure::BlockTimings run_block(std::int64_t batches) override {
    auto report = worker_.block(batches, process::Poison::Off);
    return {report.wall_ns, report.samples, report.batches, std::move(report.timings_ns)};
  }
  void resume() override { worker_.wake(); }
  void pause() override { worker_.park(); }

 private:
  CellWorker& worker_;
};

// A schedule without rounds: the usual warm-up. Returns the batches of a block; none: stopped. The
// worker is parked afterwards.
std::optional<std::int64_t> warm_up(Session& session, CellWorker& worker) {
  WarmUp subject(worker);
  measure::Subject* const subjects[] = {&subject};
  const auto result = measure::run_schedule(
      subjects, {.rounds = 0, .block_ns = kBlockNs, .most_batches = kMaxBlockBatches},
      {.now_ns = [&] { return session.lab.now_ns(); }}, session.stop);
  if (result.failures[0]) std::rethrow_exception(result.failures[0]);
  if (result.stopped) return std::nullopt;
  return result.batches[0];
}

// Samples computed; none: stopped.
std::optional<std::int64_t> compute(Session& session, CellWorker& worker, std::int64_t batches) {
  const auto start = session.lab.now_ns();
  std::int64_t done = 0, samples = 0;
  while (done < kLeastBatches || session.lab.now_ns() - start < kEnergyBusyNs) {
    if (session.stop.stop_requested()) return std::nullopt;
    const auto report = worker.block(batches, process::Poison::Off);
    done += report.batches;
    samples += report.samples;
  }
  return samples;
}

// Idle, computing, idle. Returns the samples computed; none: stopped.
std::optional<std::int64_t> measure_windows(Session& session, const Seat& seat,
                                            measure::EnergyMeter& meter) {
  const auto worker = session.lab.worker(seat.entrant->contender->cell);
  worker->load();
  worker->prepare(batch_for(session, seat));
  const auto batches = warm_up(session, *worker);
  const auto idle = [&] {
    meter.start();
    session.lab.rest(kEnergyIdleNs, session.stop);
    meter.stop();
  };
  if (!batches) return std::nullopt;
  idle();
  worker->wake();
  meter.start();
  const auto samples = compute(session, *worker, *batches);
  meter.stop();
  if (!samples) return std::nullopt;
  worker->park();
  idle();
  return samples;
}

void put(Json& values, const std::string& key, const std::optional<double>& value,
         const std::string& why) {
  if (value)
    values[key] = *value;
  else
    set_missing(values, key, why);
}

void put_domains(Json& values, const measure::EnergyWindow& busy) {
  if (busy.joules.empty()) return set_missing(values, "energy_domains", busy.why);
  auto& domains = values["energy_domains"] = Json::array();
  for (const auto& [name, joules] : busy.joules)
    domains.push_back(
        {{"domain", name}, {"mean_w", joules * 1e9 / static_cast<double>(busy.wall_ns)}});
}

Json values_of(const measure::EnergyWindow& before, const measure::EnergyWindow& busy,
               const measure::EnergyWindow& after, std::int64_t samples) {
  std::optional<double> gross, net;
  const auto before_w = before.mean_w(), busy_w = busy.mean_w(), after_w = after.mean_w();
  const auto per_sample = static_cast<double>(busy.wall_ns) / 1e9 / static_cast<double>(samples);
  if (busy_w) gross = *busy_w * per_sample;
  if (busy_w && before_w && after_w) net = (*busy_w - (*before_w + *after_w) / 2) * per_sample;
  Json values = {{"energy_coverage", busy.coverage},
                 {"energy_method", busy.method},
                 {"energy_samples", samples},
                 {"energy_window_ns", busy.wall_ns}};
  const auto& net_why = !busy_w ? busy.why : !before_w ? before.why : after.why;
  put(values, "energy_gross_j_per_sample", gross, busy.why);
  put(values, "energy_net_j_per_sample", net, net_why);
  put(values, "energy_mean_w", busy_w, busy.why);
  put(values, "energy_idle_before_w", before_w, before.why);
  put(values, "energy_idle_after_w", after_w, after.why);
  put_domains(values, busy);
  return values;
}

}  // namespace

std::optional<Json> energy_pass(Session& session, const Seat& seat) {
  const auto meter = session.lab.energy_meter(session.options.power_log);
  const auto samples = measure_windows(session, seat, *meter);
  if (samples) session.lab.rest(meter->lag_ns(), session.stop);
  if (!samples || session.stop.stop_requested()) return std::nullopt;
  const auto windows = meter->windows();
  if (windows.at(1).coverage <= 0) throw Error(Status::Unavailable, windows.at(1).why);
  return values_of(windows.at(0), windows.at(1), windows.at(2), *samples);
}

}  // namespace inferometer::campaign
