// SPDX-License-Identifier: Apache-2.0
#include "graph/branches.hpp"

#include <map>
#include <string>
#include <unordered_set>

#include "base/text.hpp"
#include "graph/node_view.hpp"
#include "graph/text.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {

namespace {

const Graph& body_of(const Node& node, const char* name) {
  const auto found = node.attributes.find(name);
  const auto* body = found == node.attributes.end()
                         ? nullptr
                         : std::get_if<std::shared_ptr<Graph>>(&found->second);
  if (body == nullptr) {
    throw_invalid("node {} ({}): attribute {} is missing", printable(node.name), node.op, name);
  }
  if ((*body)->outputs.size() != node.outputs.size() || !(*body)->inputs.empty()) {
    throw_invalid("node {} ({}): {} has {} inputs and {} outputs, 0 and {} are needed",
                  printable(node.name), node.op, name, (*body)->inputs.size(),
                  (*body)->outputs.size(), node.outputs.size());
  }
  return **body;
}

/// Moves one branch's values and nodes into the graph around it.
class Splice {
 public:
  Splice(Graph& graph, const Node& node, const Graph& body)
      : graph_(graph), node_(node), body_(body), names_(index_values(graph)) {}

  std::vector<Node> run() {
    adopt_values();
    std::vector<Node> nodes;
    for (const auto& node : body_.nodes) nodes.push_back(moved(node));
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      if (node_.outputs[i] == kNoValue) continue;
      const auto name = fmt::format("{}.output_{}", node_.name, i);
      nodes.push_back({name, "Identity", "", {moved(body_.outputs[i])}, {node_.outputs[i]}, {}});
    }
    return nodes;
  }

 private:
  ValueId moved(ValueId id) const {
    return id == kNoValue ? kNoValue : ids_[static_cast<std::size_t>(id)];
  }

  void adopt_values() {
    const std::unordered_set<ValueId> captured(body_.captured.begin(), body_.captured.end());
    for (std::size_t i = 0; i < body_.values.size(); ++i) {
      const auto& value = body_.values[i];
      const auto known = names_.find(value.name);
      if (captured.count(static_cast<ValueId>(i)) == 0) {
        ids_.push_back(added(value, known != names_.end()));
      } else if (known != names_.end()) {
        ids_.push_back(known->second);
      } else {
        throw_invalid("node {} ({}): its branch reads {}, which nothing gives",
                      printable(node_.name), node_.op, printable(value.name));
      }
    }
  }

  ValueId added(Value value, bool taken) {
    if (taken) {
      const auto name = fmt::format("{}/{}/{}", node_.name, value.name, graph_.values.size());
      renamed_.emplace(value.name, name);
      value.name = name;
    }
    graph_.values.push_back(std::move(value));
    return static_cast<ValueId>(graph_.values.size() - 1);
  }

  Node moved(Node node) const {
    for (auto& id : node.inputs) id = moved(id);
    for (auto& id : node.outputs) id = moved(id);
    if (!renamed_.empty()) {
      rename_captured(node, [&](const std::string& name) {
        const auto found = renamed_.find(name);
        return found == renamed_.end() ? name : found->second;
      });
    }
    node.name = fmt::format("{}/{}", node_.name, node.name);
    return node;
  }

  Graph& graph_;
  const Node& node_;
  const Graph& body_;
  ValueIndex names_;
  std::vector<ValueId> ids_;                    ///< by value of the body
  std::map<std::string, std::string> renamed_;  ///< where a name of the body was taken
};

}  // namespace

std::optional<std::vector<Node>> taken_branch(Graph& graph, const Node& node) {
  if (node.op != "If" || !node.domain.empty()) return std::nullopt;
  const auto condition = NodeView(graph, node).integers(0);
  if (!condition || condition->size() != 1) return std::nullopt;
  const auto& body = body_of(node, (*condition)[0] != 0 ? "then_branch" : "else_branch");
  return Splice(graph, node, body).run();
}

}  // namespace inferometer::graph
