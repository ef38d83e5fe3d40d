// SPDX-License-Identifier: Apache-2.0
// Several models as one.
#pragma once

#include <span>
#include <string>

#include "graph/graph.hpp"

namespace inferometer::graph {

/// A model to merge and what its names begin with: "<name>/".
struct Part {
  std::string name;
  Graph graph;
};

/// One graph that computes every part from one set of inputs, which keep the first part's names and
/// symbols; outputs follow in the order of the parts, named "<part>/<output>" (with a "'" behind
/// where that is taken). Inputs are matched by position: as many, of the same dtypes and ranks,
/// sizes equal where both are fixed; an axis that one part fixes is fixed for all. Symbols of other
/// axes get their part's name too. Weights stay where they are. Throws Error{Invalid} naming part
/// and input for parts that don't fit, or two of one name, and Error{Unsupported} for parts of
/// different opsets.
Graph merge(std::span<const Part> parts);

}  // namespace inferometer::graph
