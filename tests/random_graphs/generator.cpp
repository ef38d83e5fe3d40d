// SPDX-License-Identifier: Apache-2.0
#include "generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "makers.hpp"

namespace inferometer::random_graphs {
namespace {

constexpr std::int64_t kLargestWhole = 9;
constexpr std::size_t kMostLeaves = 12;

std::int64_t any_opset(std::uint64_t seed) {
  constexpr std::int64_t kOpsets[] = {13, 14, 15, 17, 18, 20, 21};
  return kOpsets[seed % std::size(kOpsets)];
}

/// Small graphs are likelier: they are quicker, and a failure is easier to read.
std::size_t any_node_count(Random& random) {
  const double share = static_cast<double>(random.between(0, 1000)) / 1000;
  return static_cast<std::size_t>(5 * std::pow(44, share));
}

void add_inputs(Draft& draft) {
  const bool has_batch = draft.first_axis() == 1;
  for (auto count = draft.random.between(1, 3); count > 0; --count) {
    Sizes sizes;
    for (auto rank = draft.random.between(1, has_batch ? 3 : 4); rank > 0; --rank)
      sizes.push_back(draft.random.between(1, 7));
    if (has_batch) sizes.insert(sizes.begin(), -1);
    draft.add_input(DType::F32, sizes, 1);
  }
  if (!draft.random.chance(40)) return;
  Sizes sizes = {draft.random.between(1, 5)};
  if (has_batch) sizes.insert(sizes.begin(), -1);
  draft.add_input(DType::I64, sizes, kLargestWhole);
}

Maker any_maker(Random& random) {
  const auto kind = random.between(0, 9);
  const auto makers = kind < 3   ? elementwise_makers()
                      : kind < 6 ? layout_makers()
                                 : neural_makers();
  return makers[static_cast<std::size_t>(
      random.between(0, static_cast<std::int64_t>(makers.size()) - 1))];
}

std::vector<Live> any_outputs(Draft& draft) {
  std::set<graph::ValueId> read;
  for (const auto& node : draft.graph().nodes) read.insert(node.inputs.begin(), node.inputs.end());
  std::vector<Live> leaves, inner;
  const auto inputs = draft.graph().inputs;
  for (const auto& live : draft.pool) {
    if (std::ranges::find(inputs, live.id) != inputs.end()) continue;
    (read.contains(live.id) ? inner : leaves).push_back(live);
  }
  if (leaves.size() > kMostLeaves)
    leaves.erase(leaves.begin(), leaves.end() - static_cast<std::ptrdiff_t>(kMostLeaves));
  if (!inner.empty() && draft.random.chance(30)) leaves.push_back(draft.random.pick(inner));
  return leaves;
}

}  // namespace

RandomGraph random_graph(std::uint64_t seed) {
  Draft draft(seed, any_opset(seed), seed % 2 == 0);
  add_inputs(draft);
  const auto wanted = any_node_count(draft.random);
  while (draft.graph().nodes.size() < wanted) any_maker(draft.random)(draft);
  const auto outputs = any_outputs(draft);
  RandomGraph made;
  std::vector<graph::ValueId> ids;
  for (const auto& live : outputs) ids.push_back(live.id);
  for (const auto& live : draft.pool) made.bounds[draft.graph().value(live.id).name] = live.bound;
  for (const auto& live : draft.whole)
    made.whole[draft.graph().value(live.id).name] = kLargestWhole;
  made.graph = draft.finish(ids);
  return made;
}

}  // namespace inferometer::random_graphs
