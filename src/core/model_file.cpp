// SPDX-License-Identifier: Apache-2.0
#include "core/model_file.hpp"

#include "graph/onnx.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {

ModelFile read_model_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw Error(Status::Invalid, "there is no model " + path.string(), {{"path", path.string()}});
  }
  if (path.extension() != ".onnx") return {};
  try {
    graph::Graph graph = graph::read_onnx(path);
    graph::infer_shapes(graph);
    return {.signature = graph::signature_of(graph), .why = {}};
  } catch (const Error& refused) {
    if (refused.code() == Status::Invalid) throw;
    return {.signature = std::nullopt, .why = std::string("our reader: ") + refused.what()};
  }
}

}  // namespace inferometer::core
