// SPDX-License-Identifier: Apache-2.0
#include "graph/expand.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>
#include <unordered_set>

#include "base/text.hpp"
#include "graph/builder.hpp"
#include "graph/node_view.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

/// A file of a few bytes may ask for any number of iterations.
constexpr std::size_t kMostAdded = 1U << 18;

const Graph& body_of(const Node& node, const char* name) {
  const auto found = node.attributes.find(name);
  const auto* body = found == node.attributes.end()
                         ? nullptr
                         : std::get_if<std::shared_ptr<Graph>>(&found->second);
  if (body == nullptr) {
    throw_invalid("node {} ({}): attribute {} is missing", printable(node.name), node.op, name);
  }
  return **body;
}

void require_ports(const Node& node, const char* name, const Graph& body, std::size_t inputs,
                   std::size_t outputs) {
  if (body.inputs.size() == inputs && body.outputs.size() == outputs) return;
  throw_invalid("node {} ({}): {} has {} inputs and {} outputs, {} and {} are needed",
                printable(node.name), node.op, name, body.inputs.size(), body.outputs.size(),
                inputs, outputs);
}

Node identity(const Node& node, std::size_t output, ValueId from) {
  return {fmt::format("{}.output_{}", node.name, output),
          "Identity",
          "",
          {from},
          {node.outputs[output]},
          {}};
}

}  // namespace

/// Moves one body's values and nodes into the graph around it.
class Splice {
 public:
  Splice(Expander& expander, const Node& node, const Graph& body,
         const std::vector<ValueId>& inputs)
      : expander_(expander), node_(node), body_(body), inputs_(inputs) {}

  Expander::Spliced run() {
    adopt_values();
    Expander::Spliced spliced;
    for (const auto& node : body_.nodes) spliced.nodes.push_back(moved(node));
    for (const auto id : body_.outputs) spliced.outputs.push_back(moved(id));
    return spliced;
  }

 private:
  ValueId moved(ValueId id) const {
    return id == kNoValue ? kNoValue : ids_[static_cast<std::size_t>(id)];
  }

  void adopt_values() {
    const std::unordered_set<ValueId> captured(body_.captured.begin(), body_.captured.end());
    for (std::size_t i = 0; i < body_.values.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      const auto input = std::ranges::find(body_.inputs, id);
      if (input != body_.inputs.end()) {
        ids_.push_back(inputs_[static_cast<std::size_t>(input - body_.inputs.begin())]);
        renamed_.emplace(body_.values[i].name, name_of(ids_.back()));
      } else if (captured.count(id) != 0) {
        ids_.push_back(known(body_.values[i].name));
      } else {
        ids_.push_back(added(body_.values[i]));
      }
    }
  }

  std::string name_of(ValueId id) const {
    return id == kNoValue ? "" : expander_.graph_.value(id).name;
  }

  ValueId known(const std::string& name) {
    const auto& index = expander_.index();
    const auto found = index.find(name);
    if (found == index.end()) {
      throw_invalid("node {} ({}): its body reads {}, which nothing gives", printable(node_.name),
                    node_.op, printable(name));
    }
    return found->second;
  }

  ValueId added(Value value) {
    if (expander_.index().contains(value.name)) {
      const auto name =
          fmt::format("{}/{}/{}", node_.name, value.name, expander_.graph_.values.size());
      renamed_.emplace(value.name, name);
      value.name = name;
    }
    return expander_.add(std::move(value));
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

  Expander& expander_;
  const Node& node_;
  const Graph& body_;
  const std::vector<ValueId>& inputs_;
  std::vector<ValueId> ids_;                    ///< by value of the body
  std::map<std::string, std::string> renamed_;  ///< names of the body that are others outside
};

const ValueIndex& Expander::index() {
  if (!index_) index_ = index_values(graph_);
  return *index_;
}

ValueId Expander::add(Value value) {
  if (++added_ > kMostAdded) {
    throw_unsupported("the bodies of If and Loop bring more than {} values", kMostAdded);
  }
  const auto id = static_cast<ValueId>(graph_.values.size());
  if (index_) index_->emplace(value.name, id);
  graph_.values.push_back(std::move(value));
  return id;
}

ValueId Expander::add_scalar(const Node& node, DType dtype, std::int64_t number) {
  const std::array<std::int64_t, 1> wide{number};
  const std::array<std::uint8_t, 1> narrow{static_cast<std::uint8_t>(number)};
  auto constant = dtype == DType::I64 ? make_constant<std::int64_t>({}, wide)
                                      : make_constant<std::uint8_t>({}, narrow);
  constant.dtype = dtype;
  return add({fmt::format("{}/{}", node.name, graph_.values.size()),
              dtype,
              std::vector<Dim>(),
              std::move(constant),
              {}});
}

Expander::Spliced Expander::splice(const Node& node, const Graph& body,
                                   const std::vector<ValueId>& inputs) {
  return Splice(*this, node, body, inputs).run();
}

std::optional<std::vector<Node>> Expander::expand(const Node& node) {
  if (!node.domain.empty()) return std::nullopt;
  if (node.op == "Loop") return expand_loop(node);
  if (node.op != "If") return std::nullopt;
  const auto condition = NodeView(graph_, node).integers(0);
  if (!condition || condition->size() != 1) return std::nullopt;
  return take_branch(node, (*condition)[0] != 0);
}

std::vector<Node> Expander::take_branch(const Node& node, bool condition) {
  const auto* name = condition ? "then_branch" : "else_branch";
  const auto& body = body_of(node, name);
  require_ports(node, name, body, 0, node.outputs.size());
  auto spliced = splice(node, body, {});
  for (std::size_t i = 0; i < node.outputs.size(); ++i)
    if (node.outputs[i] != kNoValue) spliced.nodes.push_back(identity(node, i, spliced.outputs[i]));
  return std::move(spliced.nodes);
}

// Inputs of a Loop: trip count, condition, what it carries. One that has started has more: what its
// scans have gathered, and the number of its next iteration.
std::optional<std::vector<Node>> Expander::expand_loop(const Node& node) {
  const auto& body = body_of(node, "body");
  const auto carried = body.inputs.size() - std::min<std::size_t>(2, body.inputs.size());
  const auto results = body.outputs.size() - std::min<std::size_t>(1, body.outputs.size());
  const bool started = node.inputs.size() == 2 + results + 1;
  require_ports(node, "body", body, 2 + carried, 1 + std::max(results, carried));
  if ((!started && node.inputs.size() != 2 + carried) || node.outputs.size() > results) {
    throw_invalid("node {} (Loop): it has {} inputs and {} outputs, its body {} and {}",
                  printable(node.name), node.inputs.size(), node.outputs.size(), body.inputs.size(),
                  body.outputs.size());
  }
  const NodeView view(graph_, node);
  const auto known = [&](std::size_t input, std::int64_t when_left_out) {
    if (node.inputs[input] == kNoValue) return std::optional(when_left_out);
    const auto numbers = view.integers(input);
    return numbers && numbers->size() == 1 ? std::optional((*numbers)[0]) : std::nullopt;
  };
  const auto trips = known(0, std::numeric_limits<std::int64_t>::max());
  const auto condition = known(1, 1);
  const auto iteration = started ? known(node.inputs.size() - 1, 0) : 0;
  if (!trips || !condition || !iteration) return std::nullopt;
  if (*condition == 0 || *iteration >= *trips) return finish(node, body, started);
  return iterate(node, body, *iteration);
}

std::vector<Node> Expander::iterate(const Node& node, const Graph& body, std::int64_t iteration) {
  const auto carried = body.inputs.size() - 2;
  const auto carried_end = node.inputs.begin() + 2 + static_cast<std::ptrdiff_t>(carried);
  std::vector<ValueId> inputs = {add_scalar(node, DType::I64, iteration),
                                 add_scalar(node, DType::Bool, 1)};
  inputs.insert(inputs.end(), node.inputs.begin() + 2, carried_end);
  auto [nodes, outputs] = splice(node, body, inputs);
  Node rest = node;
  rest.inputs = {node.inputs[0]};
  rest.inputs.insert(rest.inputs.end(), outputs.begin(),
                     outputs.begin() + 1 + static_cast<std::ptrdiff_t>(carried));
  for (std::size_t i = 1 + carried; i < outputs.size(); ++i) {
    const bool started = node.inputs.size() > inputs.size();
    const auto so_far = started ? node.inputs[1 + i] : kNoValue;
    rest.inputs.push_back(appended(node, so_far, outputs[i], nodes));
  }
  rest.inputs.push_back(add_scalar(node, DType::I64, iteration + 1));
  nodes.push_back(std::move(rest));
  return std::move(nodes);
}

/// Adds the nodes that give `so_far` with one row more.
ValueId Expander::appended(const Node& node, ValueId so_far, ValueId row,
                           std::vector<Node>& nodes) {
  const auto name = fmt::format("{}/scan/{}", node.name, graph_.values.size());
  Node unsqueeze{name + "/row", "Unsqueeze", "", {row}, {add({name + "/row", {}, {}, {}, {}})}, {}};
  if (graph_.opset < 13) {
    unsqueeze.attributes["axes"] = std::vector<std::int64_t>{0};
  } else {
    const std::vector<std::int64_t> first = {0};
    auto axes = make_constant<std::int64_t>({1}, first);
    unsqueeze.inputs.push_back(
        add({name + "/axes", DType::I64, fixed_dims(axes.shape), std::move(axes), {}}));
  }
  const auto one = unsqueeze.outputs[0];
  nodes.push_back(std::move(unsqueeze));
  if (so_far == kNoValue) return one;
  const auto all = add({name, {}, {}, {}, {}});
  nodes.push_back({name, "Concat", "", {so_far, one}, {all}, {{"axis", std::int64_t{0}}}});
  return all;
}

std::vector<Node> Expander::finish(const Node& node, const Graph& body, bool started) {
  const auto carried = body.inputs.size() - 2;
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    if (i >= carried && !started) {
      throw_unsupported("node {} (Loop): it gathers the results of no iteration",
                        printable(node.name));
    }
    nodes.push_back(identity(node, i, node.inputs[2 + i]));
  }
  return nodes;
}

}  // namespace inferometer::graph
