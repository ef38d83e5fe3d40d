// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "graph/onnx.hpp"
#include "graph/onnx_graph.hpp"
#include "graph/onnx_types.hpp"
#include "graph/text.hpp"
#include "graph/upgrade.hpp"

namespace inferometer::graph {

namespace {

/// ModelProto as it stands in the file.
struct RawModel {
  std::int64_t ir_version = 0;
  std::optional<WireMessage> graph;
};

std::pair<std::string, std::int64_t> read_opset(WireMessage message) {
  std::string domain;
  std::int64_t version = 0;
  WireField field;
  while (message.next(field)) {
    if (field.number == opset_field::Domain) domain = field.text();
    if (field.number == opset_field::Version) version = field.integer();
  }
  if (version < 1) throw_invalid("opset_import '{}': version {}", printable(domain), version);
  return {domain == "ai.onnx" ? "" : domain, version};
}

void read_model_opset(WireMessage message, ModelContext& context) {
  const auto [domain, version] = read_opset(message);
  if (domain.empty()) {
    context.opset = version;
  } else {
    context.domains[domain] = version;
  }
}

/// A function may use domains that the model doesn't. Where both name one, ONNX demands that it
/// means the same in both.
void read_opset_of_function(WireMessage message, ModelContext& context) {
  const auto [domain, version] = read_opset(message);
  if (!domain.empty()) context.domains.emplace(domain, version);
}

void read_function(WireMessage message, ModelContext& context) {
  std::string name, domain;
  FunctionBody body;
  WireField field;
  while (message.next(field)) {
    switch (field.number) {
      case function_field::Name:
        name = field.text();
        break;
      case function_field::Domain:
        domain = field.text();
        break;
      case function_field::Input:
        body.inputs.push_back(field.text());
        break;
      case function_field::Output:
        body.outputs.push_back(field.text());
        break;
      case function_field::Node:
        body.nodes.push_back(field.child("node of a function"));
        break;
      case function_field::Default:
        body.defaults.push_back(field.child("attribute of a function"));
        break;
      case function_field::Opset:
        read_opset_of_function(field.child("opset_import of a function"), context);
        break;
      default:
        break;
    }
  }
  if (domain == "ai.onnx") domain.clear();
  if (!context.functions.emplace(std::pair{domain, name}, std::move(body)).second) {
    throw_invalid("function {} of domain '{}': defined twice", printable(name), printable(domain));
  }
}

RawModel read_raw_model(WireMessage& message, ModelContext& context) {
  RawModel model;
  WireField field;
  while (message.next(field)) {
    switch (field.number) {
      case model_field::IrVersion:
        model.ir_version = field.integer();
        break;
      case model_field::Graph:
        model.graph = field.child("graph");
        break;
      case model_field::Opset:
        read_model_opset(field.child("opset_import"), context);
        break;
      case model_field::Functions:
        read_function(field.child("function"), context);
        break;
      default:
        break;
    }
  }
  return model;
}

void check_model(const RawModel& model, const ModelContext& context) {
  if (!model.graph) throw_invalid("the model has no graph: not an ONNX file, or a truncated one");
  if (model.ir_version < 1 || model.ir_version > kMaxIrVersion) {
    throw_invalid("ir_version {}: known are 1..{}", model.ir_version, kMaxIrVersion);
  }
  if (context.opset == 0 && context.domains.empty()) {
    throw_invalid("opset_import: the model names no version of the default operators");
  }
  if (context.opset == 0) return;  // only other domains: any default operator is refused by name
  if (context.opset > kMaxOpset) {
    throw_invalid("opset {}: known are 1..{}", context.opset, kMaxOpset);
  }
}

Graph read_model(std::span<const std::byte> bytes, ModelContext context) {
  if (bytes.empty()) throw_invalid("the model is empty (0 bytes)");
  WireMessage message(bytes, "model");
  const auto model = read_raw_model(message, context);
  check_model(model, context);
  auto graph = read_graph(*model.graph, context);
  graph.external_files = context.external.files();
  if (graph.outputs.empty()) throw_invalid("the graph has no outputs: there is nothing to compute");
  upgrade_to_opset_7(graph);
  return graph;
}

}  // namespace

Graph read_onnx(const std::filesystem::path& path) {
  const auto file = std::make_shared<MappedFile>(path);
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  try {
    return read_model(file->bytes(), {file, ExternalData(folder)});
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", path.string(), error.what()), error.context());
  }
}

Graph read_onnx(std::span<const std::byte> bytes,
                const std::map<std::string, std::span<const std::byte>>& external) {
  return read_model(bytes, {nullptr, ExternalData(external)});
}

}  // namespace inferometer::graph
