// SPDX-License-Identifier: Apache-2.0
#include "measure/energy_tally.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace inferometer::measure {
namespace {

constexpr std::int64_t kLongestPeriodNs = 5'000'000'000;
constexpr double kUjPerNs = kMostDomainW * 1e6 / 1e9;
// Counters are brought up to date in steps (NVML's about ten times a second): what arrives within
// a short time may be older.
constexpr double kStepNs = 1e9;

double fastest_wrap_ns(const EnergyDomain& domain) {
  return static_cast<double>(domain.range_uj) / kUjPerNs;
}

}  // namespace

std::int64_t poll_period_ns(std::span<const EnergyDomain> domains) {
  double period = kLongestPeriodNs;
  for (const auto& domain : domains)
    if (domain.range_uj > 0) period = std::min(period, fastest_wrap_ns(domain) / 4);
  return std::max<std::int64_t>(1'000'000, static_cast<std::int64_t>(period));
}

EnergyTally::EnergyTally(std::vector<EnergyDomain> domains)
    : domains_(std::move(domains)), last_uj_(domains_.size()), totals_(domains_.size()) {}

void EnergyTally::add(std::int64_t now_ns, std::span<const EnergyReading> readings) {
  assert(readings.size() == domains_.size());
  for (std::size_t i = 0; i < readings.size(); ++i) {
    auto& total = totals_[i];
    if (total.why.empty()) total.why = add_one(i, now_ns, readings[i]);
    if (total.why.empty()) total.read_ns = now_ns;
  }
  first_ = false;
}

// Returns why the domain is lost.
std::string EnergyTally::add_one(std::size_t domain, std::int64_t now_ns,
                                 const EnergyReading& reading) {
  if (!reading.uj) return reading.why;
  const auto before = std::exchange(last_uj_[domain], *reading.uj);
  if (first_) return "";
  const auto range = domains_[domain].range_uj;
  const auto passed_ns = static_cast<double>(now_ns - totals_[domain].read_ns);
  if (range > 0 && passed_ns > fastest_wrap_ns(domains_[domain]))
    return fmt::format("its counter was not read for {:.0f} s and may have wrapped unseen",
                       passed_ns / 1e9);
  if (*reading.uj < before && (range == 0 || before > range))
    return fmt::format("its counter went back from {} to {} uJ", before, *reading.uj);
  const auto used = *reading.uj >= before ? *reading.uj - before : range - before + *reading.uj;
  if (static_cast<double>(used) > kUjPerNs * (passed_ns + kStepNs))
    return fmt::format("its counter jumped from {} to {} uJ: it was set anew", before, *reading.uj);
  totals_[domain].uj += used;
  return "";
}

}  // namespace inferometer::measure
