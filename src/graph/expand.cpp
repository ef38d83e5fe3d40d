// SPDX-License-Identifier: Apache-2.0
#include "graph/expand.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/text.hpp"
#include "graph/builder.hpp"
#include "graph/node_view.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

/// What a copy of it costs: values, nodes and their ports, those of nested bodies too.
std::size_t size_of(const Graph& body) {
  std::size_t size = body.values.size();
  for (const auto& node : body.nodes) {
    size += 1 + node.inputs.size() + node.outputs.size() + node.attributes.size();
    for (const auto& [name, attribute] : node.attributes)
      if (const auto* inner = std::get_if<std::shared_ptr<Graph>>(&attribute))
        size += size_of(**inner);
  }
  return size;
}

/// The one number of a constant condition or trip count; nullopt while it isn't known.
std::optional<std::int64_t> one_number(const NodeView& view, std::size_t input) {
  const auto numbers = view.integers(input);
  if (numbers && numbers->size() != 1) {
    view.fail("input {} holds {} numbers, one is needed", input, numbers->size());
  }
  return numbers ? std::optional((*numbers)[0]) : std::nullopt;
}

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
    std::unordered_map<ValueId, ValueId> given;
    for (std::size_t i = 0; i < body_.inputs.size(); ++i)
      given.emplace(body_.inputs[i], inputs_[i]);
    for (std::size_t i = 0; i < body_.values.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (const auto input = given.find(id); input != given.end()) {
        ids_.push_back(input->second);
        renamed_.emplace(body_.values[i].name, name_of(ids_.back()));
      } else if (captured.contains(id)) {
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
    value.elements.reset();
    if (!value.constant) {
      value.dtype.reset();
      value.shape.reset();
    }
    if (expander_.index().contains(value.name)) {
      auto name = expander_.unused(
          fmt::format("{}/{}/{}", node_.name, value.name, expander_.graph_.values.size()));
      renamed_.emplace(value.name, name);
      value.name = std::move(name);
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

std::string Expander::unused(std::string name) {
  while (index().contains(name)) name += '\'';
  return name;
}

bool Expander::afford(const Graph& body) {
  // Beside the body an iteration brings two scalars and, for each result, a row and a Concat.
  const auto size = size_of(body) + 8 * (2 + body.outputs.size());
  if (size > left_) return false;
  left_ -= size;
  return true;
}

ValueId Expander::add(Value value) {
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
  return add({unused(fmt::format("{}/{}", node.name, graph_.values.size())),
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
  return node.op == "If" ? expand_if(node) : std::nullopt;
}

std::optional<std::vector<Node>> Expander::expand_if(const Node& node) {
  const auto condition = one_number(NodeView(graph_, node), 0);
  if (!condition) return std::nullopt;
  const auto* name = *condition != 0 ? "then_branch" : "else_branch";
  const auto& body = body_of(node, name);
  require_ports(node, name, body, 0, node.outputs.size());
  if (!afford(body)) return std::nullopt;
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
  require_ports(node, "body", body, 2 + carried, 1 + std::max(results, carried));
  const auto inputs = node.started ? 2 + results + 1 : 2 + carried;
  if (node.inputs.size() != inputs || node.outputs.size() > results) {
    throw_invalid("node {} (Loop): it has {} inputs and {} outputs, its body {} and {}",
                  printable(node.name), node.inputs.size(), node.outputs.size(), body.inputs.size(),
                  body.outputs.size());
  }
  const NodeView view(graph_, node);
  const auto known = [&](std::size_t input, std::int64_t when_left_out) {
    return node.inputs[input] == kNoValue ? std::optional(when_left_out) : one_number(view, input);
  };
  const auto trips = known(0, std::numeric_limits<std::int64_t>::max());
  const auto condition = known(1, 1);
  const auto iteration = node.started ? known(node.inputs.size() - 1, 0) : 0;
  if (!trips || !condition || !iteration) return std::nullopt;
  if (*condition == 0 || *iteration >= *trips) return finish(node, body);
  if (!afford(body)) return std::nullopt;
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
  rest.started = true;
  rest.inputs = {node.inputs[0]};
  rest.inputs.insert(rest.inputs.end(), outputs.begin(),
                     outputs.begin() + 1 + static_cast<std::ptrdiff_t>(carried));
  for (std::size_t i = 1 + carried; i < outputs.size(); ++i) {
    const auto so_far = node.started ? node.inputs[1 + i] : kNoValue;
    rest.inputs.push_back(appended(node, so_far, outputs[i], nodes));
  }
  rest.inputs.push_back(add_scalar(node, DType::I64, iteration + 1));
  nodes.push_back(std::move(rest));
  return std::move(nodes);
}

/// Adds the nodes that give `so_far` with one row more.
ValueId Expander::appended(const Node& node, ValueId so_far, ValueId row,
                           std::vector<Node>& nodes) {
  const auto name = unused(fmt::format("{}/scan/{}", node.name, graph_.values.size()));
  Node unsqueeze{
      name + "/row", "Unsqueeze", "", {row}, {add({unused(name + "/row"), {}, {}, {}, {}})}, {}};
  if (graph_.opset < 13) {
    unsqueeze.attributes["axes"] = std::vector<std::int64_t>{0};
  } else {
    const std::vector<std::int64_t> first = {0};
    auto axes = make_constant<std::int64_t>({1}, first);
    unsqueeze.inputs.push_back(
        add({unused(name + "/axes"), DType::I64, fixed_dims(axes.shape), std::move(axes), {}}));
  }
  const auto one = unsqueeze.outputs[0];
  nodes.push_back(std::move(unsqueeze));
  if (so_far == kNoValue) return one;
  const auto all = add({name, {}, {}, {}, {}});
  nodes.push_back({name, "Concat", "", {so_far, one}, {all}, {{"axis", std::int64_t{0}}}});
  return all;
}

std::vector<Node> Expander::finish(const Node& node, const Graph& body) {
  const auto carried = body.inputs.size() - 2;
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    const bool no_row = i >= carried && !node.started;
    nodes.push_back(
        identity(node, i, no_row ? add_no_rows(node, body, 1 + i) : node.inputs[2 + i]));
  }
  return nodes;
}

/// What a scan gives that gathered nothing: [0, ...] of what the body declares.
ValueId Expander::add_no_rows(const Node& node, const Graph& body, std::size_t output) {
  const auto id = body.outputs[output];
  const auto* declared = id == kNoValue ? nullptr : &body.value(id);
  std::vector<std::int64_t> sizes = {0};
  bool fixed = declared != nullptr && declared->dtype && declared->shape;
  for (std::size_t i = 0; fixed && i < declared->shape->size(); ++i) {
    sizes.push_back((*declared->shape)[i].size);
    fixed = sizes.back() >= 0;
  }
  if (!fixed) {
    throw_unsupported(
        "node {} (Loop): it gathers the results of no iteration, and its body doesn't "
        "declare their shape",
        printable(node.name));
  }
  return add({unused(node.name + "/no rows"),
              declared->dtype,
              fixed_dims(sizes),
              Constant{*declared->dtype, sizes, {}, nullptr},
              {}});
}

}  // namespace inferometer::graph
