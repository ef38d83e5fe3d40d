// SPDX-License-Identifier: Apache-2.0
#include "common/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "graph/onnx.hpp"

namespace inferometer::plugin {
namespace {

/// The request's memory ends with the call, the graph doesn't.
struct Copy {
  std::vector<std::byte> model;
  std::map<std::string, std::vector<std::byte>> external;
};

Imported read(const LoadRequest& request) {
  if (!request.path.empty()) return {.graph = graph::read_onnx(request.path)};
  const auto copy = std::make_shared<Copy>();
  copy->model.assign(request.bytes.begin(), request.bytes.end());
  std::map<std::string, std::span<const std::byte>> external;
  for (const auto& [location, bytes] : request.external)
    external[location] = copy->external[location] = {bytes.begin(), bytes.end()};
  return {.graph = graph::read_onnx(copy->model, external), .memory = copy};
}

}  // namespace

Imported import_model(const LoadRequest& request) {
  Imported model = read(request);
  graph::infer_shapes(model.graph);
  const auto file = graph::signature_of(model.graph);
  auto dims = request.dims;
  if (request.dynamic_batch && !file.batch_symbol.empty()) dims.erase(file.batch_symbol);
  graph::bind_dims(model.graph, dims);
  graph::infer_shapes(model.graph);
  model.signature = graph::signature_of(model.graph);
  model.dynamic_batch = !model.signature.batch_symbol.empty();
  return model;
}

std::vector<graph::Constant> packed_weights(const Artifacts& artifacts, std::string_view kind,
                                            std::span<const graph::PackedTensor> tensors) {
  try {
    auto file = artifacts.find(kind);
    if (!file) {
      file = artifacts.store(
          kind, [&](const std::filesystem::path& path) { graph::write_packed(path, tensors); });
    }
    if (file) return graph::map_packed(*file, tensors);
  } catch (const Error& error) {
    log(2, fmt::format("packed weights are kept in memory: {}", error.what()));
  }
  return graph::pack_in_memory(tensors);
}

std::vector<PortInfo> port_infos(const std::vector<Port>& ports) {
  std::vector<PortInfo> infos;
  for (const auto& port : ports) {
    PortInfo info{.name = port.name, .dtype = port.dtype, .shape = {}};
    for (const auto& dim : port.shape) info.shape.push_back(dim.size);
    infos.push_back(std::move(info));
  }
  return infos;
}

void require_one_of(const LoadRequest& request, const std::string& engine, const std::string& param,
                    std::initializer_list<const char*> supported) {
  const auto& given = request.text(param);
  if (std::find(supported.begin(), supported.end(), given) != supported.end()) return;
  const std::vector<std::string> words(supported.begin(), supported.end());
  throw Error(Status::Unsupported,
              fmt::format("{} can't do {}={}; it takes {}", engine, param, given, join(words)),
              {{"param", param}, {"value", given}});
}

void refuse_library(const std::string& engine, const std::filesystem::path& library) {
  if (library.empty()) return;
  throw Error(Status::Unavailable,
              fmt::format("{} has no library of its own, but library={} was asked for", engine,
                          library.string()),
              {{"param", "library"}});
}

}  // namespace inferometer::plugin
