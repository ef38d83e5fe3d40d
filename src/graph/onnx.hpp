// SPDX-License-Identifier: Apache-2.0
// ONNX files to and from Graph, through our own bounded reader and writer of the protobuf wire
// format.
#pragma once

#include <filesystem>
#include <map>
#include <span>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// Maps the file and its external data; weights are not copied. Nodes are sorted; names are made
/// unique. Throws Error{Invalid} naming node, tensor or field for anything malformed
/// (cases/bad_onnx.md), under bounded memory.
Graph read_onnx(const std::filesystem::path& path);
/// The same from memory that must outlive the graph; external data by the "location" written in the
/// model.
Graph read_onnx(std::span<const std::byte> bytes,
                const std::map<std::string, std::span<const std::byte>>& external = {});

/// Writes `graph` (IR version 8, its opset). Weights above `external_threshold_bytes` go to
/// "<file>.data" when that is not 0.
void write_onnx(const Graph& graph, const std::filesystem::path& path,
                std::size_t external_threshold_bytes = 0);

}  // namespace inferometer::graph
