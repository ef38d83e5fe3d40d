// SPDX-License-Identifier: Apache-2.0
#include "measure/energy_counters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/text.hpp"
#include "inferometer/error.hpp"
#include "measure/energy_tally.hpp"

namespace inferometer::measure {
namespace {

using Sources = std::vector<std::unique_ptr<EnergySource>>;
using Totals = std::vector<EnergyTally::Total>;

struct Moment {
  std::int64_t now_ns = 0;
  Totals totals;
};

struct Span {
  Moment start, end;
  std::int64_t wall_ns() const { return end.now_ns - start.now_ns; }
  std::uint64_t used_uj(std::size_t domain) const {
    return end.totals[domain].uj - start.totals[domain].uj;
  }
};

std::vector<EnergyDomain> domains_of(const Sources& sources) {
  std::vector<EnergyDomain> all;
  for (const auto& source : sources)
    all.insert(all.end(), source->domains().begin(), source->domains().end());
  return all;
}

// The share of the window in which this domain was read, and its joules for all of it.
void put_domain(const Span& span, std::size_t index, const std::string& name,
                EnergyWindow& window) {
  const auto& total = span.end.totals[index];
  const auto covered_ns = std::clamp<std::int64_t>(total.read_ns - span.start.now_ns, 0,
                                                   std::max<std::int64_t>(0, span.wall_ns()));
  const auto coverage = span.wall_ns() <= 0
                            ? 0
                            : static_cast<double>(covered_ns) / static_cast<double>(span.wall_ns());
  window.coverage = std::min(window.coverage, coverage);
  if (coverage < kLeastCoverage)
    window.why += fmt::format("{}{}: {}", window.why.empty() ? "" : "; ", name,
                              total.why.empty() ? "the window has no length" : total.why);
  else
    window.joules[name] += static_cast<double>(span.used_uj(index)) / 1e6 / coverage;
}

class CounterMeter : public EnergyMeter {
 public:
  CounterMeter(Sources sources, Clock now_ns)
      : sources_(std::move(sources)), now_ns_(std::move(now_ns)), tally_(domains_of(sources_)) {
    poller_ = std::jthread([this](const std::stop_token& stop) { keep_reading(stop); });
  }

  void start() override { spans_.emplace_back().start = read(); }
  void stop() override { spans_.back().end = read(); }
  std::int64_t lag_ns() const override { return 0; }

  std::vector<EnergyWindow> windows() override {
    const auto used = moving();
    std::vector<EnergyWindow> all;
    for (const auto& span : spans_) {
      EnergyWindow window{.wall_ns = span.wall_ns(), .coverage = 1, .method = method()};
      for (const auto index : used) put_domain(span, index, tally_.domains()[index].name, window);
      if (!window.why.empty()) window.joules.clear();
      all.push_back(std::move(window));
    }
    return all;
  }

 private:
  Moment read() {
    const std::lock_guard lock(mutex_);
    return read_locked();
  }
  Moment read_locked() {
    std::vector<EnergyReading> readings;
    for (const auto& source : sources_)
      for (auto& reading : source->read()) readings.push_back(std::move(reading));
    const auto now = now_ns_();
    tally_.add(now, readings);
    return {now, tally_.totals()};
  }

  void keep_reading(const std::stop_token& stop) {
    const std::chrono::nanoseconds period(poll_period_ns(tally_.domains()));
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, period, [] { return false; });
      if (!stop.stop_requested()) read_locked();
    }
  }

  // Virtual machines show counters that stand still, and some machines one for memory that does.
  std::vector<std::size_t> moving() {
    std::vector<std::size_t> used;
    still_.clear();
    for (std::size_t i = 0; i < tally_.domains().size(); ++i) {
      const bool moved =
          std::ranges::any_of(spans_, [&](const Span& span) { return span.used_uj(i) > 0; });
      const bool lost = !spans_.empty() && !spans_.back().end.totals[i].why.empty();
      if (moved || lost)
        used.push_back(i);
      else
        still_.push_back(tally_.domains()[i].name);
    }
    if (used.empty() && !spans_.empty())
      throw Error(Status::Unavailable,
                  fmt::format("{}: no counter moved while measuring ({}), as in virtual machines "
                              "that are shown none",
                              method(), join(still_)));
    return used;
  }

  std::string method() const {
    std::vector<std::string> methods;
    for (const auto& source : sources_) methods.push_back(source->method());
    auto text = join(methods, " + ");
    for (const auto& name : still_) text += fmt::format("; without {} (stands still)", name);
    return text;
  }

  Sources sources_;
  Clock now_ns_;
  std::mutex mutex_;  ///< of sources_ and tally_
  EnergyTally tally_;
  std::vector<Span> spans_;
  std::vector<std::string> still_;
  std::condition_variable_any wake_;
  std::jthread poller_;  ///< last: ends before what it reads goes
};

}  // namespace

std::unique_ptr<EnergyMeter> counter_meter(std::vector<std::unique_ptr<EnergySource>> sources,
                                           Clock now_ns) {
  return std::make_unique<CounterMeter>(std::move(sources), std::move(now_ns));
}

}  // namespace inferometer::measure
