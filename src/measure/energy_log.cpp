// SPDX-License-Identifier: Apache-2.0
#include "measure/energy_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace inferometer::measure {
namespace {

double seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

// What lies of the line from `a` to `b` between start and end: its energy and its length.
struct Piece {
  double joules = 0;
  std::int64_t ns = 0;
};
Piece piece_of(const PowerSample& a, const PowerSample& b, std::int64_t start_ns,
               std::int64_t end_ns) {
  const auto from = std::max(a.time_ns, start_ns), to = std::min(b.time_ns, end_ns);
  if (from >= to) return {};
  const auto at = [&](std::int64_t time) {
    return a.watts +
           (b.watts - a.watts) * seconds(time - a.time_ns) / seconds(b.time_ns - a.time_ns);
  };
  return {seconds(to - from) * (at(from) + at(to)) / 2, to - from};
}

std::string missing_text(const PowerLog& log, std::int64_t start_ns, std::int64_t end_ns,
                         std::int64_t covered_ns) {
  auto text = fmt::format("power log {}: {:.1f} of the {:.1f} s from {} on are missing; ", log.name,
                          seconds(end_ns - start_ns - covered_ns), seconds(end_ns - start_ns),
                          log_time_text(start_ns));
  if (log.samples.empty()) return text + "it has no rows";
  const auto last = log.samples.back().time_ns;
  text += fmt::format("its rows go from {} to {}", log_time_text(log.samples.front().time_ns),
                      log_time_text(last));
  if (last < end_ns)
    return text + fmt::format(" ({:.1f} s too early: is it written as it is measured?)",
                              seconds(end_ns - last));
  return text + fmt::format(", and gaps above {:g} s don't count", seconds(kMostLogGapNs));
}

class LogMeter : public EnergyMeter {
 public:
  LogMeter(std::filesystem::path path, Clock now_ns)
      : path_(std::move(path)), now_ns_(std::move(now_ns)) {
    read_power_log(path_);
  }
  void start() override { spans_.emplace_back(now_ns_(), 0); }
  void stop() override { spans_.back().second = now_ns_(); }
  std::int64_t lag_ns() const override { return kMostLogGapNs; }  // the row behind it
  std::vector<EnergyWindow> windows() override {
    const auto log = read_power_log(path_);
    std::vector<EnergyWindow> all;
    for (const auto& [start, end] : spans_) all.push_back(energy_of(log, start, end));
    return all;
  }

 private:
  std::filesystem::path path_;
  Clock now_ns_;
  std::vector<std::pair<std::int64_t, std::int64_t>> spans_;
};

}  // namespace

EnergyWindow energy_of(const PowerLog& log, std::int64_t start_ns, std::int64_t end_ns) {
  EnergyWindow window{.wall_ns = end_ns - start_ns, .method = "power log"};
  Piece all;
  for (std::size_t i = 1; i < log.samples.size(); ++i) {
    const auto &a = log.samples[i - 1], &b = log.samples[i];
    if (b.time_ns - a.time_ns > kMostLogGapNs) continue;
    const auto piece = piece_of(a, b, start_ns, end_ns);
    all.joules += piece.joules;
    all.ns += piece.ns;
  }
  if (window.wall_ns > 0) window.coverage = seconds(all.ns) / seconds(window.wall_ns);
  if (window.coverage < kLeastCoverage)
    window.why = missing_text(log, start_ns, end_ns, all.ns);
  else
    window.joules[log.name] = all.joules / window.coverage;
  return window;
}

std::unique_ptr<EnergyMeter> log_meter(const std::filesystem::path& path, Clock now_ns) {
  return std::make_unique<LogMeter>(path, std::move(now_ns));
}

}  // namespace inferometer::measure
