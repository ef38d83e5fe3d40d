// SPDX-License-Identifier: Apache-2.0
#include "graph/uses.hpp"

#include <functional>
#include <map>
#include <queue>

#include "base/text.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

std::vector<std::string> captured_names(const Node& node) {
  std::vector<std::string> names;
  for (const auto& [key, attribute] : node.attributes) {
    const auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute);
    if (body == nullptr) continue;
    for (const auto id : (*body)->captured) names.push_back((*body)->value(id).name);
  }
  return names;
}

void rename_captured(Node& node, const std::function<std::string(const std::string&)>& renamed) {
  for (auto& [key, attribute] : node.attributes) {
    auto* body = std::get_if<std::shared_ptr<Graph>>(&attribute);
    if (body == nullptr) continue;
    auto copy = std::make_shared<Graph>(**body);
    // Only names that the body itself takes from outside; those below that it defines stay.
    std::map<std::string, std::string> names;
    for (const auto id : copy->captured) {
      auto& name = copy->value(id).name;
      const auto fresh = renamed(name);
      names.emplace(name, fresh);
      name = fresh;
    }
    for (auto& inner : copy->nodes) {
      rename_captured(inner, [&](const std::string& name) {
        const auto found = names.find(name);
        return found == names.end() ? name : found->second;
      });
    }
    *body = std::move(copy);
  }
}

ValueIndex index_values(const Graph& graph) {
  ValueIndex index;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    index.emplace(graph.values[i].name, static_cast<ValueId>(i));
  }
  return index;
}

std::vector<ValueId> values_read(const Node& node, const ValueIndex& index) {
  std::vector<ValueId> read;
  for (const auto id : node.inputs) {
    if (id != kNoValue) read.push_back(id);
  }
  for (const auto& name : captured_names(node)) {
    const auto found = index.find(name);
    if (found != index.end()) read.push_back(found->second);
  }
  return read;
}

namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

/// Node edges: `producers[i]` are the nodes whose outputs node i reads.
std::vector<std::vector<std::size_t>> producers_of_nodes(const Graph& graph) {
  std::vector<std::size_t> producer(graph.values.size(), kNobody);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto id : graph.nodes[i].outputs) {
      if (id != kNoValue) producer[static_cast<std::size_t>(id)] = i;
    }
  }
  const auto index = index_values(graph);
  std::vector<std::vector<std::size_t>> producers(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto id : values_read(graph.nodes[i], index)) {
      const auto from = producer[static_cast<std::size_t>(id)];
      if (from != kNobody) producers[i].push_back(from);
    }
  }
  return producers;
}

[[noreturn]] void throw_cycle(const Graph& graph, const std::vector<bool>& done,
                              const std::vector<std::vector<std::size_t>>& producers) {
  // A node that is left waits for another that is left; following them must come round.
  std::size_t at = 0;
  while (done[at]) ++at;
  std::vector<bool> seen(done.size());
  while (!seen[at]) {
    seen[at] = true;
    for (const auto from : producers[at]) {
      if (!done[from]) {
        at = from;
        break;
      }
    }
  }
  throw_invalid("node {} ({}): its input depends on its own output (a cycle)",
                printable(graph.nodes[at].name), printable(graph.nodes[at].op));
}

}  // namespace

void sort_nodes(Graph& graph) {
  const auto producers = producers_of_nodes(graph);
  std::vector<std::vector<std::size_t>> readers(graph.nodes.size());
  std::vector<std::size_t> waiting(graph.nodes.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < producers.size(); ++i) {
    waiting[i] = producers[i].size();
    for (const auto from : producers[i]) readers[from].push_back(i);
    if (waiting[i] == 0) ready.push(i);
  }
  std::vector<bool> done(graph.nodes.size());
  std::vector<Node> sorted;
  sorted.reserve(graph.nodes.size());
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const auto next = ready.top();
    ready.pop();
    done[next] = true;
    order.push_back(next);
    for (const auto reader : readers[next]) {
      if (--waiting[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() != graph.nodes.size()) throw_cycle(graph, done, producers);
  for (const auto i : order) sorted.push_back(std::move(graph.nodes[i]));
  graph.nodes = std::move(sorted);
}

}  // namespace inferometer::graph
