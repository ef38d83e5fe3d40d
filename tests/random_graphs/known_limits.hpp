// SPDX-License-Identifier: Apache-2.0
// What engines do wrong or not at all with legal graphs, seen with the pinned versions. A graph
// that differs is excused when a limit concerns it; a limit that no graph shows any more is stale.
#pragma once

#include <span>
#include <string>

#include "graph/graph.hpp"

namespace inferometer::random_graphs {

struct KnownLimit {
  const char* engine;
  const char* what;
  bool (*concerns)(const graph::Graph& graph, const graph::Node& node);
};
std::span<const KnownLimit> known_limits();

/// nullptr when none of the engine's concerns a node of the graph.
const KnownLimit* known_limit(const std::string& engine, const graph::Graph& graph);

}  // namespace inferometer::random_graphs
