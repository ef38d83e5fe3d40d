// SPDX-License-Identifier: Apache-2.0
// Operators of ONNX's first versions as those of opset 7.
#pragma once

#include "graph/graph.hpp"

namespace inferometer::graph {

/// Nodes of opset 1 to 6 become nodes of opset 7, which `graph.opset` then says: attributes that
/// hint at memory or training are left out, the one-sided broadcast along an axis becomes a
/// Unsqueeze before ONNX's usual one, attributes that became inputs are moved. Shapes are inferred
/// on the way. Throws Error{Unsupported} naming a node that means something else since or has a
/// body, and Error{Invalid} as infer_shapes.
void upgrade_to_opset_7(Graph& graph);

}  // namespace inferometer::graph
