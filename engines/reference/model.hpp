// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/import.hpp"
#include "inferometer/engine_plugin.hpp"
#include "plan.hpp"

namespace inferometer::reference {

/// The plans of a model, by input shapes; the last few are kept. Thread-safe.
class Plans {
 public:
  explicit Plans(graph::Graph graph) : graph_(std::move(graph)) {}

  std::shared_ptr<const Plan> get(std::span<const Shape> shapes);

 private:
  const graph::Graph graph_;
  std::mutex mutex_;
  std::vector<std::pair<std::vector<Shape>, std::shared_ptr<const Plan>>> kept_;
};

/// Nodes that kernel.cpp has no row for.
std::vector<plugin::Refusal> refusals(const graph::Graph& graph);

/// Throws Error{Unsupported} for a param or an operator that it can't do.
std::unique_ptr<plugin::LoadedModel> load_model(const plugin::LoadRequest& request);

}  // namespace inferometer::reference
