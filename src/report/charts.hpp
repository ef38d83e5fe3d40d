// SPDX-License-Identifier: Apache-2.0
// Vega-Lite specifications with their data inside.
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace inferometer::report {

struct Chart {
  std::string title;
  std::string caption;  ///< one sentence
  Json specification;
};

/// Throughput over batch, latency percentiles, load phases, memory by phase: those with data.
std::vector<Chart> charts_of(const Document& document);

}  // namespace inferometer::report
