// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "graph/onnx_graph.hpp"
#include "graph/onnx_types.hpp"
#include "graph/text.hpp"

namespace inferometer::graph {

namespace {

/// AttributeProto as it stands in the file; `type` says which member counts.
struct RawAttribute {
  std::string name;
  std::string reference;  ///< to an attribute of the function's call
  AttributeType type = AttributeType::Undefined;
  AttributeType seen = AttributeType::Undefined;  ///< for files that leave the type out
  std::int64_t i = 0;
  float f = 0;
  std::string s;
  std::vector<std::int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  std::optional<WireMessage> message;  ///< tensor, sparse tensor or graph
};

void read_field(const WireField& field, RawAttribute& raw) {
  switch (field.number) {
    case attribute_field::Name:
      raw.name = field.text();
      return;
    case attribute_field::Reference:
      raw.reference = field.text();
      return;
    case attribute_field::Type:
      raw.type = static_cast<AttributeType>(field.integer());
      return;
    case attribute_field::F:
      raw.f = field.real();
      raw.seen = AttributeType::Float;
      return;
    case attribute_field::I:
      raw.i = field.integer();
      raw.seen = AttributeType::Int;
      return;
    case attribute_field::S:
      raw.s = field.text();
      raw.seen = AttributeType::String;
      return;
    case attribute_field::Ints:
      field.append_integers(raw.ints);
      raw.seen = AttributeType::Ints;
      return;
    case attribute_field::Floats:
      field.append_floats(raw.floats);
      raw.seen = AttributeType::Floats;
      return;
    case attribute_field::Strings:
      raw.strings.push_back(field.text());
      raw.seen = AttributeType::Strings;
      return;
    case attribute_field::T:
      raw.message = field.child("tensor");
      raw.seen = AttributeType::Tensor;
      return;
    case attribute_field::SparseTensor:
      raw.message = field.child("sparse tensor");
      raw.seen = AttributeType::SparseTensor;
      return;
    case attribute_field::G:
      raw.message = field.child("subgraph");
      raw.seen = AttributeType::Graph;
      return;
    default:
      return;
  }
}

Attribute to_attribute(RawAttribute& raw, const std::string& node, ModelContext& context,
                       const Attributes* given) {
  const auto type = raw.type == AttributeType::Undefined ? raw.seen : raw.type;
  const bool structured = type == AttributeType::Tensor || type == AttributeType::SparseTensor ||
                          type == AttributeType::Graph;
  if (structured && (!raw.message || raw.seen != type)) {
    throw_invalid("node {}: attribute {} lacks the value that its type announces", printable(node),
                  printable(raw.name));
  }
  switch (type) {
    case AttributeType::Float:
      return raw.f;
    case AttributeType::Int:
      return raw.i;
    case AttributeType::String:
      return raw.s;
    case AttributeType::Floats:
      return raw.floats;
    case AttributeType::Ints:
      return raw.ints;
    case AttributeType::Strings:
      return raw.strings;
    case AttributeType::Tensor:
      return read_tensor(*raw.message, context.owner, context.external).constant;
    case AttributeType::SparseTensor:
      return read_sparse_tensor(*raw.message, context.owner, context.external).constant;
    case AttributeType::Graph:
      return std::make_shared<Graph>(read_subgraph(*raw.message, context, given));
    case AttributeType::Undefined:
      throw_invalid("node {}: attribute {} has neither type nor value", printable(node),
                    printable(raw.name));
  }
  throw_unsupported("node {}: attribute {} is of type {}", printable(node), printable(raw.name),
                    static_cast<std::int64_t>(type));
}

}  // namespace

std::optional<std::pair<std::string, Attribute>> read_attribute(WireMessage message,
                                                                const std::string& node,
                                                                ModelContext& context,
                                                                const Attributes* given) {
  RawAttribute raw;
  WireField field;
  while (message.next(field)) read_field(field, raw);
  if (raw.reference.empty()) {
    auto value = to_attribute(raw, node, context, given);
    return std::pair{std::move(raw.name), std::move(value)};
  }
  if (given == nullptr) {
    throw_invalid("node {}: attribute {} refers to {}, but stands in no function", printable(node),
                  printable(raw.name), printable(raw.reference));
  }
  const auto found = given->find(raw.reference);
  if (found == given->end()) return std::nullopt;
  return std::pair{std::move(raw.name), found->second};
}

}  // namespace inferometer::graph
