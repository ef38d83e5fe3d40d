// SPDX-License-Identifier: Apache-2.0
#include "campaign/overhead.hpp"

namespace inferometer::campaign {

std::optional<measure::CanaryReading> Overhead::canary(const std::vector<int>& cpus,
                                                       std::int64_t aim_ns) {
  const auto before = lab_.now_ns();
  auto reading = lab_.canary(cpus, aim_ns);
  const auto after = now();
  if (!begin_) {
    begin_ = after;
    return reading;
  }
  has_canary_ |= reading.has_value();
  canary_ns_ += after.wall_ns - before;
  rounds_ = {after.wall_ns - begin_->wall_ns, after.cpu_ns - begin_->cpu_ns};
  return reading;
}

std::optional<double> Overhead::parent_cpu_share() const {
  if (rounds_.wall_ns <= 0) return std::nullopt;
  return static_cast<double>(rounds_.cpu_ns) / static_cast<double>(rounds_.wall_ns);
}

std::optional<double> Overhead::canary_share() const {
  if (rounds_.wall_ns <= 0 || !has_canary_) return std::nullopt;
  return static_cast<double>(canary_ns_) / static_cast<double>(rounds_.wall_ns);
}

}  // namespace inferometer::campaign
