// SPDX-License-Identifier: Apache-2.0
// For tests: an engine in an open loop as a queue, first come, first served.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace inferometer::measure {

struct FakeServed {
  std::int64_t start_ns = 0, end_ns = 0;
};

/// Request i comes at arrivals_ns[i] and keeps one of `executors` busy for service_ns(i).
inline std::vector<FakeServed> serve(std::span<const std::int64_t> arrivals_ns,
                                     std::size_t executors,
                                     const std::function<std::int64_t(std::size_t)>& service_ns) {
  std::vector<std::int64_t> free_at(executors, 0);
  std::vector<FakeServed> served;
  for (std::size_t i = 0; i < arrivals_ns.size(); ++i) {
    const auto first = std::ranges::min_element(free_at);
    const auto start = std::max(*first, arrivals_ns[i]);
    served.push_back({start, *first = start + service_ns(i)});
  }
  return served;
}

inline std::vector<std::int64_t> ends_of(std::span<const FakeServed> served) {
  std::vector<std::int64_t> ends;
  for (const auto& each : served) ends.push_back(each.end_ns);
  return ends;
}

}  // namespace inferometer::measure
