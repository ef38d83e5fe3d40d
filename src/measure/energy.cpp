// SPDX-License-Identifier: Apache-2.0
#include "measure/energy.hpp"

#include <fmt/format.h>

#include <chrono>

#include "inferometer/error.hpp"
#include "measure/energy_counters.hpp"
#include "measure/energy_log.hpp"
#include "measure/energy_nvml.hpp"
#include "measure/energy_rapl.hpp"

namespace inferometer::measure {
namespace {

template <class Clock>
std::int64_t ns_of() {
  return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
}

}  // namespace

std::int64_t steady_ns() {
  return ns_of<std::chrono::steady_clock>();
}

std::int64_t realtime_ns() {
  return ns_of<std::chrono::system_clock>();
}

std::optional<double> EnergyWindow::total_j() const {
  if (joules.empty()) return std::nullopt;
  double total = 0;
  for (const auto& [domain, used] : joules) total += used;
  return total;
}

std::optional<double> EnergyWindow::mean_w() const {
  const auto total = total_j();
  if (!total || wall_ns <= 0) return std::nullopt;
  return *total * 1e9 / static_cast<double>(wall_ns);
}

std::unique_ptr<EnergyMeter> make_energy_meter(const EnergyPlaces& places) {
  if (!places.power_log.empty()) return log_meter(places.power_log, realtime_ns);
  std::vector<std::unique_ptr<EnergySource>> sources;
  std::string why;
  const auto try_source = [&](const char* name, const auto& open) {
    try {
      sources.push_back(open());
    } catch (const Error& error) {
      why += fmt::format("{}: {}; ", name, error.what());
    }
  };
  try_source("RAPL", [&] { return rapl_source(places.root); });
  try_source("NVML", [&] { return nvml_source(places.nvml); });
  if (sources.empty())
    throw Error(
        Status::Unavailable,
        fmt::format("nothing here tells energy. {}power log: none given (--power-log FILE)", why));
  return counter_meter(std::move(sources), steady_ns);
}

}  // namespace inferometer::measure
