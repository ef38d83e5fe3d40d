// SPDX-License-Identifier: Apache-2.0
// The first steps of every plugin that takes `.onnx` through our own graph.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/packed.hpp"
#include "graph/passes.hpp"
#include "inferometer/engine_plugin.hpp"

namespace inferometer::plugin {

/// A model read for one load: shapes are inferred and every symbol that the request fixes is a
/// number, the batch symbol excepted when a context may be bound with fewer rows.
struct Imported {
  graph::Graph graph;
  graph::Signature signature;
  bool dynamic_batch = false;          ///< the batch axis is still a symbol
  std::shared_ptr<const void> memory;  ///< what the weights are windows of, when loaded from bytes
};

/// Reads path or bytes. Throws Error{Invalid} as graph::read_onnx and infer_shapes do. Weights are
/// windows of the mapped file, or of a copy of the request's bytes that `memory` keeps.
Imported import_model(const LoadRequest& request);

/// Weights as the engine wants them: windows of an artifact of this kind that every worker of the
/// same load maps, made on the first load; in memory while caching is off or the artifact isn't
/// one.
std::vector<graph::Constant> packed_weights(const Artifacts& artifacts, std::string_view kind,
                                            std::span<const graph::PackedTensor> tensors);

std::vector<PortInfo> port_infos(const std::vector<Port>& ports);

/// Throws Error{Unsupported} unless the param has one of the values that the engine can do.
void require_one_of(const LoadRequest& request, const std::string& engine, const std::string& param,
                    std::initializer_list<const char*> supported);

/// For engines that have no library of their own. Throws Error{Unavailable} when one was asked for.
void refuse_library(const std::string& engine, const std::filesystem::path& library);

}  // namespace inferometer::plugin
