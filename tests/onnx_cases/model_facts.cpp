// SPDX-License-Identifier: Apache-2.0
#include "model_facts.hpp"

#include <algorithm>

#include "graph/onnx_types.hpp"
#include "graph/wire.hpp"

namespace inferometer::onnx_cases {
namespace {

using graph::WireField;
using graph::WireMessage;
using graph::WireWriter;

constexpr std::uint32_t kSubgraphs = 11;  // AttributeProto.graphs

void read_nodes(WireMessage graph, ModelFacts& facts);

void read_attribute(WireMessage attribute, ModelFacts& facts) {
  WireField field;
  while (attribute.next(field)) {
    if (field.number != graph::attribute_field::G && field.number != kSubgraphs) continue;
    facts.subgraphs = true;
    read_nodes(field.child("subgraph"), facts);
  }
}

void read_node(WireMessage node, ModelFacts& facts) {
  std::string op, domain;
  WireField field;
  while (node.next(field)) {
    if (field.number == graph::node_field::Op) op = field.text();
    if (field.number == graph::node_field::Domain) domain = field.text();
    if (field.number == graph::node_field::Attribute)
      read_attribute(field.child("attribute"), facts);
  }
  const bool other = !domain.empty() && domain != "ai.onnx";
  facts.other_domain = facts.other_domain || other;
  facts.operators.insert(other ? domain + "." + op : op);
}

void read_nodes(WireMessage graph, ModelFacts& facts) {
  WireField field;
  while (graph.next(field)) {
    if (field.number == graph::graph_field::Node) read_node(field.child("node"), facts);
  }
}

// The first field of that number, if any; of the message types that we go through it is the only
// one.
template <class Use>
void with_field(WireMessage message, std::uint32_t number, Use&& use) {
  WireField field;
  while (message.next(field)) {
    if (field.number == number) return use(field);
  }
}

std::string name_of(WireMessage message, std::uint32_t number) {
  std::string name;
  with_field(message, number, [&](const WireField& field) { name = field.text(); });
  return name;
}

PortFacts read_port(WireMessage value) {
  PortFacts port{name_of(value, graph::value_field::Name)};
  with_field(value, graph::value_field::Type, [&](const WireField& type) {
    with_field(type.child("type"), graph::type_field::Tensor, [&](const WireField& tensor) {
      with_field(tensor.child("tensor type"), graph::tensor_type_field::Element,
                 [&](const WireField& element) { port.element = element.integer(); });
    });
  });
  return port;
}

void read_ports(WireMessage graph, ModelFacts& facts) {
  std::set<std::string> initialisers;
  WireField field;
  while (graph.next(field)) {
    if (field.number == graph::graph_field::Initializer)
      initialisers.insert(name_of(field.child("initializer"), graph::tensor_field::Name));
    if (field.number == graph::graph_field::Input)
      facts.inputs.push_back(read_port(field.child("input")));
    if (field.number == graph::graph_field::Output)
      facts.outputs.push_back(read_port(field.child("output")));
  }
  std::erase_if(facts.inputs,
                [&](const PortFacts& port) { return initialisers.contains(port.name); });
}

bool all_ports(const ModelFacts& facts, bool (*is)(std::int64_t element)) {
  const auto fits = [&](const PortFacts& port) { return is(port.element); };
  return std::all_of(facts.inputs.begin(), facts.inputs.end(), fits) &&
         std::all_of(facts.outputs.begin(), facts.outputs.end(), fits);
}

constexpr std::int64_t kFloat = 1, kInt32 = 6, kInt64 = 7, kString = 8, kBool = 9;

bool is_integer(std::int64_t element) {
  return element == kInt32 || element == kInt64 || element == kBool;
}
bool is_plain(std::int64_t element) {
  return element == kFloat || is_integer(element);
}

bool contains(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

// By how many of 31 real models use them.
const std::set<std::string>& first_operators() {
  static const std::set<std::string> names{"Conv",       "BatchNormalization",
                                           "Relu",       "MaxPool",
                                           "Add",        "GlobalAveragePool",
                                           "Flatten",    "Gemm",
                                           "Softmax",    "Identity",
                                           "Concat",     "AveragePool",
                                           "Sigmoid",    "Mul",
                                           "Reshape",    "ConstantOfShape",
                                           "Transpose",  "Unsqueeze",
                                           "Slice",      "Cast",
                                           "Shape",      "Constant",
                                           "Gather",     "Squeeze",
                                           "Sqrt",       "Div",
                                           "MatMul",     "Equal",
                                           "Pad",        "Pow",
                                           "ReduceMean", "Sub",
                                           "Expand",     "Dropout",
                                           "Clip",       "HardSigmoid",
                                           "PRelu",      "Size",
                                           "Not",        "ReduceSum",
                                           "LRN",        "Sum",
                                           "Split",      "Resize",
                                           "Tanh",       "Where",
                                           "ReduceMax",  "LayerNormalization",
                                           "Floor",      "Erf",
                                           "Neg",        "Range",
                                           "Max",        "ConvTranspose",
                                           "Reciprocal", "GlobalMaxPool",
                                           "Exp",        "Log",
                                           "ReduceMin",  "Greater"};
  return names;
}

void copy_field(const WireField& field, WireWriter& to) {
  if (field.type == graph::WireType::Varint) {
    to.integer(field.number, field.integer());
  } else {
    to.text(field.number, field.text());
  }
}

WireWriter tensor_message(const std::string& name, const graph::Constant& value) {
  WireWriter tensor;
  tensor.packed_integers(graph::tensor_field::Dims, value.shape);
  tensor.integer(graph::tensor_field::Type, graph::onnx_code(value.dtype));
  tensor.text(graph::tensor_field::Name, name);
  tensor.text(graph::tensor_field::Raw,
              {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
  return tensor;
}

WireWriter frozen_graph(WireMessage graph, const std::set<std::string>& names) {
  WireWriter rewritten;
  WireField field;
  while (graph.next(field)) {
    const bool gone = field.number == graph::graph_field::Input &&
                      names.contains(name_of(field.child("input"), graph::value_field::Name));
    if (!gone) copy_field(field, rewritten);
  }
  return rewritten;
}

}  // namespace

ModelFacts read_facts(std::span<const std::byte> model) {
  ModelFacts facts;
  with_field(WireMessage(model, "model"), graph::model_field::Graph, [&](const WireField& field) {
    read_nodes(field.child("graph"), facts);
    read_ports(field.child("graph"), facts);
  });
  return facts;
}

std::string_view to_string(CaseClass kind) noexcept {
  constexpr std::string_view kNames[] = {"float",         "integer and bool", "other dtypes",
                                         "loss",          "random",           "subgraph",
                                         "other domains", "sequence",         "string"};
  return kNames[static_cast<std::size_t>(kind)];
}

CaseClass class_of(const std::string& case_name, const ModelFacts& facts) {
  if (!all_ports(facts, [](std::int64_t element) { return element != 0; }))
    return CaseClass::Sequence;
  if (!all_ports(facts, [](std::int64_t element) { return element != kString; }))
    return CaseClass::String;
  if (facts.subgraphs) return CaseClass::Subgraph;
  if (facts.other_domain) return CaseClass::OtherDomain;
  if (contains(case_name, {"test_nllloss", "test_sce_"})) return CaseClass::Loss;
  if (contains(case_name, {"training_dropout", "bernoulli", "test_random"}))
    return CaseClass::Random;
  if (!all_ports(facts, is_plain)) return CaseClass::OtherDtype;
  return all_ports(facts, is_integer) ? CaseClass::Integer : CaseClass::Float;
}

bool has_our_dtypes(const ModelFacts& facts) {
  return all_ports(facts,
                   [](std::int64_t element) { return graph::dtype_of_onnx(element).has_value(); });
}

bool within_first_operators(const ModelFacts& facts) {
  return std::ranges::includes(first_operators(), facts.operators);
}

std::vector<std::size_t> freezable(const ModelFacts& facts) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < facts.inputs.size(); ++i) {
    const std::int64_t element = facts.inputs[i].element;
    if (element == kInt32 || element == kInt64) found.push_back(i);
  }
  return found.size() < facts.inputs.size() ? found : std::vector<std::size_t>{};
}

std::string freeze(std::span<const std::byte> model, const ModelFacts& facts,
                   std::span<const std::size_t> frozen, std::span<const graph::Constant> values) {
  std::set<std::string> names;
  for (const std::size_t input : frozen) names.insert(facts.inputs[input].name);
  WireWriter rewritten;
  WireMessage message(model, "model");
  WireField field;
  while (message.next(field)) {
    if (field.number != graph::model_field::Graph) {
      copy_field(field, rewritten);
      continue;
    }
    WireWriter graph = frozen_graph(field.child("graph"), names);
    for (std::size_t i = 0; i < frozen.size(); ++i)
      graph.message(graph::graph_field::Initializer,
                    tensor_message(facts.inputs[frozen[i]].name, values[i]));
    rewritten.message(graph::model_field::Graph, graph);
  }
  return rewritten.buffer();
}

}  // namespace inferometer::onnx_cases
