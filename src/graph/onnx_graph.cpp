// SPDX-License-Identifier: Apache-2.0
#include "graph/onnx_graph.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/text.hpp"
#include "graph/builder.hpp"
#include "graph/onnx_types.hpp"
#include "graph/sizes.hpp"
#include "graph/text.hpp"
#include "graph/uses.hpp"

namespace inferometer::graph {

namespace {

/// ValueInfoProto.
struct ValueInfo {
  std::string name;
  bool is_tensor = false;
  std::int64_t type = 0;
  std::optional<std::vector<Dim>> shape;
};

Dim read_dim(WireMessage message) {
  Dim dim;
  WireField field;
  while (message.next(field)) {
    if (field.number == dim_field::Value) {
      // A negative size is some exporters' way to say "unknown".
      dim.size = field.integer() < 0 ? -1 : field.integer();
    } else if (field.number == dim_field::Symbol) {
      dim.symbol = field.text();
    }
  }
  // A question mark is Paddle's way to say "unknown": two of them needn't be equal.
  if (dim.size >= 0 || dim.symbol == "?") dim.symbol.clear();
  return dim;
}

std::vector<Dim> read_shape(WireMessage message) {
  std::vector<Dim> shape;
  WireField field;
  while (message.next(field)) {
    if (field.number == shape_field::Dim) shape.push_back(read_dim(field.child("dimension")));
  }
  return shape;
}

void read_tensor_type(WireMessage message, ValueInfo& info) {
  WireField field;
  info.is_tensor = true;
  while (message.next(field)) {
    if (field.number == tensor_type_field::Element) info.type = field.integer();
    if (field.number == tensor_type_field::Shape) info.shape = read_shape(field.child("shape"));
  }
}

ValueInfo read_value_info(WireMessage message) {
  ValueInfo info;
  WireField field;
  while (message.next(field)) {
    if (field.number == value_field::Name) info.name = field.text();
    if (field.number != value_field::Type) continue;
    auto type = field.child("type");
    WireField inner;
    while (type.next(inner)) {
      if (inner.number == type_field::Tensor) read_tensor_type(inner.child("tensor type"), info);
    }
  }
  return info;
}

/// The parts of a GraphProto, which may come in any order.
struct RawGraph {
  std::string name;
  std::vector<WireMessage> nodes, initializers, sparse;
  std::vector<ValueInfo> inputs, outputs, infos;
};

RawGraph read_raw_graph(WireMessage& message) {
  RawGraph raw;
  WireField field;
  while (message.next(field)) {
    switch (field.number) {
      case graph_field::Name:
        raw.name = field.text();
        break;
      case graph_field::Node:
        raw.nodes.push_back(field.child("node"));
        break;
      case graph_field::Initializer:
        raw.initializers.push_back(field.child("initialiser"));
        break;
      case graph_field::Sparse:
        raw.sparse.push_back(field.child("sparse initialiser"));
        break;
      case graph_field::Input:
        raw.inputs.push_back(read_value_info(field.child("input")));
        break;
      case graph_field::Output:
        raw.outputs.push_back(read_value_info(field.child("output")));
        break;
      case graph_field::ValueInfo:
        raw.infos.push_back(read_value_info(field.child("value info")));
        break;
      default:
        break;
    }
  }
  return raw;
}

/// NodeProto.
struct RawNode {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;
  std::vector<WireMessage> attributes;
};

RawNode read_raw_node(WireMessage message) {
  RawNode node;
  WireField field;
  while (message.next(field)) {
    switch (field.number) {
      case node_field::Input:
        node.inputs.push_back(field.text());
        break;
      case node_field::Output:
        node.outputs.push_back(field.text());
        break;
      case node_field::Name:
        node.name = field.text();
        break;
      case node_field::Op:
        node.op = field.text();
        break;
      case node_field::Domain:
        node.domain = field.text();
        break;
      case node_field::Attribute:
        node.attributes.push_back(field.child("attribute"));
        break;
      default:
        break;
    }
  }
  return node;
}

/// A function's body while it is put in the place of a call.
struct Call {
  std::string node;                          ///< the name of the calling node
  std::map<std::string, std::string> names;  ///< in the body -> in the graph
  Attributes attributes;
  std::vector<std::pair<std::string, ValueId>> passed_on;  ///< no node of the body makes them
};

enum class Scope { Whole, Body };

class GraphReader {
 public:
  GraphReader(ModelContext& context, Scope scope, const Attributes* given)
      : context_(context), scope_(scope), given_(given) {}

  Graph read(WireMessage message) {
    auto raw = read_raw_graph(message);
    graph_.name = std::move(raw.name);
    graph_.opset = graph_.file_opset = context_.opset;
    graph_.domains = context_.domains;
    for (const auto& tensor : raw.initializers) {
      add_initializer(read_tensor(tensor, context_.owner, context_.external));
    }
    for (const auto& tensor : raw.sparse) {
      add_initializer(read_sparse_tensor(tensor, context_.owner, context_.external));
    }
    for (auto& input : raw.inputs) add_input(input);
    for (const auto& node : raw.nodes) add_node(read_raw_node(node), nullptr);
    for (auto& info : raw.infos) describe_known(info);
    for (auto& output : raw.outputs) add_output(output);
    resolve_reads();
    sort_nodes(graph_);
    return std::move(graph_);
  }

 private:
  ValueId find_or_add(const std::string& name) {
    const auto [at, fresh] = ids_.emplace(name, static_cast<ValueId>(graph_.values.size()));
    if (fresh) {
      graph_.values.push_back({name, {}, {}, {}});
      defined_.push_back(false);
    }
    return at->second;
  }

  bool is_defined(ValueId id) const { return defined_[static_cast<std::size_t>(id)]; }
  void define(ValueId id) { defined_[static_cast<std::size_t>(id)] = true; }

  void add_initializer(NamedConstant tensor) {
    if (tensor.name.empty())
      throw_invalid("an initialiser of shape {} has no name", shape_text(tensor.constant.shape));
    set_constant(find_or_add(tensor.name), std::move(tensor.constant));
  }

  void set_constant(ValueId id, Constant constant) {
    define(id);
    auto& value = graph_.value(id);
    value.dtype = constant.dtype;
    value.shape = fixed_dims(constant.shape);
    value.constant = std::move(constant);
  }

  void add_input(ValueInfo& info) {
    const auto id = find_or_add(info.name);
    if (graph_.value(id).constant) return;
    if (is_defined(id)) throw_invalid("input {}: listed twice", printable(info.name));
    define(id);
    graph_.inputs.push_back(id);
    describe(id, info);
    if (scope_ == Scope::Body || graph_.value(id).dtype) return;
    const auto known = onnx_type_name(info.type);
    if (info.is_tensor && known.empty()) {
      throw_invalid("input {}: element type {} doesn't exist", printable(info.name), info.type);
    }
    throw_unsupported("input {}: {}", printable(info.name),
                      info.is_tensor ? known : std::string_view("it isn't a tensor"));
  }

  void add_output(ValueInfo& info) {
    const auto id = find_or_add(info.name);
    if (!is_defined(id) && scope_ == Scope::Whole) {
      throw_invalid("output {}: no node, input or initialiser gives it", printable(info.name));
    }
    graph_.outputs.push_back(id);
    describe(id, info);
  }

  void describe_known(ValueInfo& info) {
    const auto known = ids_.find(info.name);
    if (known != ids_.end()) describe(known->second, info);
  }

  void describe(ValueId id, ValueInfo& info) {
    auto& value = graph_.value(id);
    if (!info.is_tensor || value.constant) return;
    if (info.type != 0 && onnx_type_name(info.type).empty()) {
      throw_invalid("value {}: element type {} doesn't exist", printable(info.name), info.type);
    }
    if (!value.dtype) value.dtype = dtype_of_onnx(info.type);
    if (!value.shape) value.shape = std::move(info.shape);
  }

  /// `call`: the function call that the node stands in, else nullptr.
  void add_node(RawNode raw, Call* call) {
    Node node{std::move(raw.name), std::move(raw.op), std::move(raw.domain), {}, {}, {}};
    if (node.domain == "ai.onnx") node.domain.clear();
    name_node(node);
    check_operator(node);
    for (const auto& name : raw.inputs) node.inputs.push_back(id_or_none(actual(name, call)));
    for (const auto& name : raw.outputs) node.outputs.push_back(id_or_none(actual(name, call)));
    read_attributes(raw, node, call);
    const auto function = context_.functions.find({node.domain, node.op});
    if (function != context_.functions.end()) return inline_call(node, function->second);
    define_outputs(node);
    if (!became_constant(node)) graph_.nodes.push_back(std::move(node));
  }

  void read_attributes(const RawNode& raw, Node& node, Call* call) {
    const auto* given = call != nullptr ? &call->attributes : given_;
    for (const auto& message : raw.attributes) {
      auto attribute = read_attribute(message, node.name, context_, given);
      if (attribute && !node.attributes.insert(std::move(*attribute)).second) {
        throw_invalid("node {} ({}): an attribute is given twice", printable(node.name),
                      printable(node.op));
      }
    }
    if (call == nullptr) return;
    rename_captured(node, [&](const std::string& name) { return actual(name, call); });
  }

  /// What a name in a function's body stands for: a value of the call, or one of its own.
  std::string actual(const std::string& name, Call* call) const {
    if (call == nullptr || name.empty()) return name;
    const auto [known, fresh] = call->names.emplace(name, "");
    if (fresh) {
      known->second = fmt::format("{}/{}", call->node, name);
      while (ids_.count(known->second) != 0) known->second += "_";
    }
    return known->second;
  }

  void inline_call(const Node& node, const FunctionBody& body) {
    constexpr int kDeepest = 64;
    if (++context_.call_depth > kDeepest) {
      throw_invalid("node {} ({}): functions call each other {} deep", printable(node.name),
                    printable(node.op), context_.call_depth);
    }
    if (node.inputs.size() > body.inputs.size() || node.outputs.size() > body.outputs.size()) {
      throw_invalid("node {} ({}): {} inputs and {} outputs, the function has {} and {}",
                    printable(node.name), printable(node.op), node.inputs.size(),
                    node.outputs.size(), body.inputs.size(), body.outputs.size());
    }
    Call call{node.name, {}, node.attributes};
    bind(call, body.inputs, node.inputs);
    // An output that isn't asked for becomes a value of the body's own.
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const auto [known, fresh] = call.names.emplace(body.outputs[i], name_of(node.outputs[i]));
      // A function that hands an input on, or a value twice, needs a node that makes the output.
      if (!fresh) call.passed_on.emplace_back(body.outputs[i], node.outputs[i]);
    }
    add_defaults(call, body);
    for (const auto& message : body.nodes) {
      count_inlined(node, message);
      add_node(read_raw_node(message), &call);
    }
    for (const auto& [from, to] : call.passed_on) pass_on(node, actual(from, &call), to);
    --context_.call_depth;
  }

  std::string name_of(ValueId id) const { return graph_.value(id).name; }

  void bind(Call& call, const std::vector<std::string>& formal,
            const std::vector<ValueId>& given) const {
    for (std::size_t i = 0; i < formal.size(); ++i) {
      const bool left_out = i >= given.size() || given[i] == kNoValue;
      call.names[formal[i]] = left_out ? "" : name_of(given[i]);
    }
  }

  void add_defaults(Call& call, const FunctionBody& body) {
    for (const auto& message : body.defaults) {
      auto attribute = read_attribute(message, call.node, context_, nullptr);
      if (attribute) call.attributes.insert(std::move(*attribute));
    }
  }

  void count_inlined(const Node& node, const WireMessage& message) {
    constexpr std::size_t kMostNodes = 1u << 18, kMostBytes = 256u << 20;
    context_.inlined_bytes += message.size();
    if (++context_.inlined_nodes <= kMostNodes && context_.inlined_bytes <= kMostBytes) return;
    throw_invalid("node {} ({}): the model's functions grow beyond {} nodes or {} bytes",
                  printable(node.name), printable(node.op), kMostNodes, kMostBytes);
  }

  void pass_on(const Node& node, const std::string& from, ValueId to) {
    Node identity{fmt::format("{}/{}", node.name, name_of(to)), "Identity", "", {}, {to}, {}};
    name_node(identity);
    identity.inputs.push_back(id_or_none(from));
    if (identity.inputs[0] == kNoValue) {
      throw_invalid("node {} ({}): its output {} is an input that is left out",
                    printable(node.name), printable(node.op), printable(name_of(to)));
    }
    define_outputs(identity);
    graph_.nodes.push_back(std::move(identity));
  }

  ValueId id_or_none(const std::string& name) {
    return name.empty() ? kNoValue : find_or_add(name);
  }

  void name_node(Node& node) {
    if (node.name.empty()) node.name = fmt::format("{}_{}", node.op, node_count_);
    ++node_count_;
    const auto base = node.name;
    for (int i = 2; !node_names_.insert(node.name).second; ++i) {
      // The counter goes on from the last one given, so that a file of equal names stays linear.
      i = std::max(i, next_suffix_[base]);
      node.name = fmt::format("{}_{}", base, i);
      next_suffix_[base] = i + 1;
    }
  }

  void check_operator(const Node& node) const {
    if (node.op.empty()) throw_invalid("node {}: it has no operator", printable(node.name));
    if (context_.functions.count({node.domain, node.op}) != 0) return;
    if (node.domain.empty() && context_.opset == 0) {
      throw_invalid("node {} ({}): opset_import names no version of the default operators",
                    printable(node.name), printable(node.op));
    }
    if (!node.domain.empty() && context_.domains.count(node.domain) == 0) {
      throw_invalid("node {} ({}): the model imports no opset of domain '{}'", printable(node.name),
                    printable(node.op), printable(node.domain));
    }
  }

  void define_outputs(const Node& node) {
    for (const auto id : node.outputs) {
      if (id == kNoValue) continue;
      if (is_defined(id)) {
        throw_invalid("node {} ({}): its output {} is already defined elsewhere",
                      printable(node.name), printable(node.op), printable(graph_.value(id).name));
      }
      define(id);
    }
  }

  /// Constant nodes hold all weights of some exporters' files.
  bool became_constant(const Node& node) {
    if (node.op != "Constant" || !node.domain.empty()) return false;
    if (node.outputs.size() != 1 || node.attributes.size() != 1 || node.outputs[0] == kNoValue) {
      throw_invalid("node {} (Constant): needs one output and one attribute", printable(node.name));
    }
    const auto& [key, attribute] = *node.attributes.begin();
    if (const auto* tensor = std::get_if<Constant>(&attribute)) {
      set_constant(node.outputs[0], *tensor);
    } else if (const auto* real = std::get_if<float>(&attribute)) {
      set_constant(node.outputs[0], make_constant<float>({}, std::span(real, 1)));
    } else if (const auto* integer = std::get_if<std::int64_t>(&attribute)) {
      set_constant(node.outputs[0], make_constant<std::int64_t>({}, std::span(integer, 1)));
    } else if (const auto* reals = std::get_if<std::vector<float>>(&attribute)) {
      set_constant(node.outputs[0], make_constant<float>({count_of(*reals)}, *reals));
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&attribute)) {
      set_constant(node.outputs[0], make_constant<std::int64_t>({count_of(*integers)}, *integers));
    } else {
      throw_unsupported("node {} (Constant): attribute {} holds no numbers", printable(node.name),
                        printable(key));
    }
    return true;
  }

  template <class T>
  static std::int64_t count_of(const std::vector<T>& list) {
    return static_cast<std::int64_t>(list.size());
  }

  /// Everything read must be defined here; in a body the rest comes from the graph around it.
  void resolve_reads() {
    for (const auto& node : graph_.nodes) {
      for (const auto& name : captured_names(node)) find_or_add(name);
    }
    const auto& nodes = graph_.nodes;
    if (scope_ == Scope::Whole) {
      for (const auto& node : nodes) {
        for (const auto id : values_read(node, ids_)) {
          if (is_defined(id)) continue;
          throw_invalid("node {} ({}): its input {} is given by no node, input or initialiser",
                        printable(node.name), printable(node.op), printable(graph_.value(id).name));
        }
      }
      return;
    }
    for (std::size_t i = 0; i < defined_.size(); ++i) {
      if (!defined_[i]) graph_.captured.push_back(static_cast<ValueId>(i));
    }
  }

  ModelContext& context_;
  Scope scope_;
  const Attributes* given_;  ///< of the function call that a body stands in
  Graph graph_;
  ValueIndex ids_;
  std::vector<bool> defined_;  ///< by ValueId
  std::unordered_set<std::string> node_names_;
  std::unordered_map<std::string, int> next_suffix_;
  std::size_t node_count_ = 0;
};

}  // namespace

Graph read_graph(WireMessage message, ModelContext& context) {
  return GraphReader(context, Scope::Whole, nullptr).read(message);
}

Graph read_subgraph(WireMessage message, ModelContext& context, const Attributes* given) {
  return GraphReader(context, Scope::Body, given).read(message);
}

}  // namespace inferometer::graph
