// SPDX-License-Identifier: Apache-2.0
// Counters that wrap, added up. Pure: readings and times come in, totals come out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "measure/energy.hpp"

namespace inferometer::measure {

/// More than any one domain can draw: between two readings a counter that says more was set back,
/// and one that could have counted more than its range may have wrapped unseen.
inline constexpr double kMostDomainW = 2000;

/// How often counters of these domains must be read: four times as often as they could wrap, and
/// every five seconds at least.
std::int64_t poll_period_ns(std::span<const EnergyDomain> domains);

class EnergyTally {
 public:
  struct Total {
    std::uint64_t uj = 0;      ///< since the first reading
    std::int64_t read_ns = 0;  ///< when it was read last
    std::string why;           ///< of a domain that is lost: it stays so
  };

  explicit EnergyTally(std::vector<EnergyDomain> domains);
  /// Readings of all domains, taken at `now_ns`.
  void add(std::int64_t now_ns, std::span<const EnergyReading> readings);
  const std::vector<EnergyDomain>& domains() const noexcept { return domains_; }
  const std::vector<Total>& totals() const noexcept { return totals_; }

 private:
  std::string add_one(std::size_t domain, std::int64_t now_ns, const EnergyReading& reading);

  std::vector<EnergyDomain> domains_;
  std::vector<std::uint64_t> last_uj_;
  std::vector<Total> totals_;
  bool first_ = true;
};

}  // namespace inferometer::measure
