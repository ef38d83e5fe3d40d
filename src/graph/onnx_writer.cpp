// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <fstream>

#include "base/text.hpp"
#include "graph/onnx.hpp"
#include "graph/onnx_types.hpp"
#include "graph/text.hpp"
#include "graph/wire.hpp"

namespace inferometer::graph {

namespace {

/// A run of the file: small bytes that we own, then data that stays where it is.
struct Piece {
  std::string head;
  std::span<const std::byte> data;

  std::size_t size() const { return head.size() + data.size(); }
};
using Pieces = std::vector<Piece>;

std::size_t total_size(const Pieces& pieces) {
  std::size_t size = 0;
  for (const auto& piece : pieces) size += piece.size();
  return size;
}

/// Where weights go that don't stand in the model file itself.
class DataFile {
 public:
  DataFile(std::string name, std::size_t threshold)
      : name_(std::move(name)), threshold_(threshold) {}

  bool takes(const Constant& constant) const {
    return threshold_ != 0 && constant.bytes.size() > threshold_;
  }

  /// The data's offset.
  std::size_t add(std::span<const std::byte> data) {
    constexpr std::size_t kAlignment = 64;
    const auto padding = (kAlignment - size_ % kAlignment) % kAlignment;
    const auto offset = size_ + padding;
    pieces_.push_back({std::string(padding, '\0'), data});
    size_ = offset + data.size();
    return offset;
  }

  const std::string& name() const { return name_; }
  const Pieces& pieces() const { return pieces_; }

 private:
  std::string name_;
  std::size_t threshold_ = 0;
  std::size_t size_ = 0;
  Pieces pieces_;
};

void write_entry(WireWriter& tensor, const std::string& key, const std::string& value) {
  WireWriter entry;
  entry.text(entry_field::Key, key);
  entry.text(entry_field::Value, value);
  tensor.message(tensor_field::External, entry);
}

/// TensorProto without its data, which the caller appends (`data` is then not empty).
Piece tensor_piece(const std::string& name, const Constant& constant, DataFile& file) {
  WireWriter tensor;
  tensor.packed_integers(tensor_field::Dims, constant.shape);
  tensor.integer(tensor_field::Type, onnx_code(constant.dtype));
  if (!name.empty()) tensor.text(tensor_field::Name, name);
  if (!file.takes(constant)) {
    tensor.bytes_header(tensor_field::Raw, constant.bytes.size());
    return {tensor.buffer(), constant.bytes};
  }
  write_entry(tensor, "location", file.name());
  write_entry(tensor, "offset", std::to_string(file.add(constant.bytes)));
  write_entry(tensor, "length", std::to_string(constant.bytes.size()));
  tensor.integer(tensor_field::Location, 1);
  return {tensor.buffer(), {}};
}

std::string joined(const Pieces& pieces) {
  std::string text;
  text.reserve(total_size(pieces));
  for (const auto& piece : pieces) {
    text += piece.head;
    text.append(reinterpret_cast<const char*>(piece.data.data()), piece.data.size());
  }
  return text;
}

Pieces graph_pieces(const Graph& graph, DataFile& file);

void write_value(WireWriter& attribute, std::int64_t value) {
  attribute.integer(attribute_field::I, value);
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Int));
}
void write_value(WireWriter& attribute, float value) {
  attribute.real(attribute_field::F, value);
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Float));
}
void write_value(WireWriter& attribute, const std::string& value) {
  attribute.text(attribute_field::S, value);
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::String));
}
void write_value(WireWriter& attribute, const std::vector<std::int64_t>& value) {
  attribute.packed_integers(attribute_field::Ints, value);
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Ints));
}
void write_value(WireWriter& attribute, const std::vector<float>& value) {
  attribute.packed_floats(attribute_field::Floats, value);
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Floats));
}
void write_value(WireWriter& attribute, const std::vector<std::string>& value) {
  for (const auto& text : value) attribute.text(attribute_field::Strings, text);
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Strings));
}
void write_value(WireWriter& attribute, const Constant& value) {
  DataFile none("", 0);
  attribute.text(attribute_field::T, joined({tensor_piece("", value, none)}));
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Tensor));
}
void write_value(WireWriter& attribute, const std::shared_ptr<Graph>& value) {
  DataFile none("", 0);
  attribute.text(attribute_field::G, joined(graph_pieces(*value, none)));
  attribute.integer(attribute_field::Type, static_cast<std::int64_t>(AttributeType::Graph));
}

WireWriter node_message(const Graph& graph, const Node& node) {
  WireWriter message;
  const auto name_of = [&](ValueId id) { return id == kNoValue ? "" : graph.value(id).name; };
  for (const auto id : node.inputs) message.text(node_field::Input, name_of(id));
  for (const auto id : node.outputs) message.text(node_field::Output, name_of(id));
  message.text(node_field::Name, node.name);
  message.text(node_field::Op, node.op);
  for (const auto& [name, value] : node.attributes) {
    WireWriter attribute;
    attribute.text(attribute_field::Name, name);
    std::visit([&](const auto& v) { write_value(attribute, v); }, value);
    message.message(node_field::Attribute, attribute);
  }
  if (!node.domain.empty()) message.text(node_field::Domain, node.domain);
  return message;
}

WireWriter shape_message(const std::vector<Dim>& shape) {
  WireWriter message;
  for (const auto& dim : shape) {
    WireWriter axis;
    if (dim.size >= 0) {
      axis.integer(dim_field::Value, dim.size);
    } else if (!dim.symbol.empty()) {
      axis.text(dim_field::Symbol, dim.symbol);
    }
    message.message(shape_field::Dim, axis);
  }
  return message;
}

WireWriter value_message(const Value& value) {
  WireWriter message;
  message.text(value_field::Name, value.name);
  if (!value.dtype) return message;
  WireWriter tensor, type;
  tensor.integer(tensor_type_field::Element, onnx_code(*value.dtype));
  if (value.shape) tensor.message(tensor_type_field::Shape, shape_message(*value.shape));
  type.message(type_field::Tensor, tensor);
  message.message(value_field::Type, type);
  return message;
}

Pieces graph_pieces(const Graph& graph, DataFile& file) {
  Pieces pieces;
  WireWriter head;
  for (const auto& node : graph.nodes) head.message(graph_field::Node, node_message(graph, node));
  head.text(graph_field::Name, graph.name.empty() ? "graph" : graph.name);
  for (const auto id : graph.inputs)
    head.message(graph_field::Input, value_message(graph.value(id)));
  for (const auto id : graph.outputs) {
    head.message(graph_field::Output, value_message(graph.value(id)));
  }
  pieces.push_back({head.buffer(), {}});
  for (const auto& value : graph.values) {
    if (!value.constant) continue;
    auto tensor = tensor_piece(value.name, *value.constant, file);
    WireWriter field;
    field.bytes_header(graph_field::Initializer, tensor.size());
    pieces.push_back({field.buffer() + tensor.head, tensor.data});
  }
  return pieces;
}

void write_opset(WireWriter& model, const std::string& domain, std::int64_t version) {
  WireWriter opset;
  opset.text(opset_field::Domain, domain);
  opset.integer(opset_field::Version, version);
  model.message(model_field::Opset, opset);
}

Piece model_head(const Graph& graph, std::size_t graph_size) {
  WireWriter model;
  model.integer(model_field::IrVersion, kWrittenIrVersion);
  model.text(model_field::Producer, "inferometer");
  if (graph.opset > 0) write_opset(model, "", graph.opset);
  for (const auto& [domain, version] : graph.domains) write_opset(model, domain, version);
  model.bytes_header(model_field::Graph, graph_size);
  return {model.buffer(), {}};
}

/// Under a temporary name first: a reader sees the whole file or none.
void write_pieces(const std::filesystem::path& path, const Pieces& pieces) {
  const auto temporary = path.string() + fmt::format(".{}.tmp", ::getpid());
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  for (const auto& piece : pieces) {
    out.write(piece.head.data(), static_cast<std::streamsize>(piece.head.size()));
    out.write(reinterpret_cast<const char*>(piece.data.data()),
              static_cast<std::streamsize>(piece.data.size()));
  }
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(temporary, path, error);
  if (out && !error) return;
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  throw_invalid("{}: can't be written ({})", path.string(),
                error ? error.message() : "is the folder there, and is there space?");
}

}  // namespace

void write_onnx(const Graph& graph, const std::filesystem::path& path,
                std::size_t external_threshold_bytes) {
  const auto data_path = std::filesystem::path(path.string() + ".data");
  DataFile file(data_path.filename().string(), external_threshold_bytes);
  auto pieces = graph_pieces(graph, file);
  pieces.insert(pieces.begin(), model_head(graph, total_size(pieces)));
  if (!file.pieces().empty()) write_pieces(data_path, file.pieces());
  write_pieces(path, pieces);
}

}  // namespace inferometer::graph
