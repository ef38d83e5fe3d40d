// SPDX-License-Identifier: Apache-2.0
// How an operator is computed. One row per operator in kernel.cpp; one file per family.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/node_view.hpp"
#include "inferometer/tensor.hpp"
#include "multiply.hpp"
#include "pool.hpp"

namespace inferometer::reference {

/// What one node works on in one run. A left-out optional tensor has data = nullptr. Inputs may be
/// read by other nodes later, outputs overlap nothing.
struct Work {
  std::span<const View> in;
  std::span<const View> out;
  Pool& pool;
  const Multiplier& multiplier;  ///< for products of floats
};

/// Computes a node; holds its geometry, no tensors. Used by many contexts at once.
using Compute = std::function<void(const Work&)>;

/// A node with concrete shapes, before anything runs.
class Site {
 public:
  Site(const graph::Graph& graph, const graph::Node& node) : graph_(graph), node_(node) {}

  const graph::Node& node() const noexcept { return node_; }
  graph::NodeView view() const { return {graph_, node_}; }
  std::int64_t opset() const noexcept { return graph_.opset; }
  std::size_t input_count() const noexcept { return node_.inputs.size(); }
  bool has_input(std::size_t i) const noexcept;
  bool has_output(std::size_t i) const noexcept;
  Shape input_shape(std::size_t i) const;
  Shape output_shape(std::size_t i) const;
  DType input_dtype(std::size_t i) const;
  DType output_dtype(std::size_t i) const;
  /// The values of a constant integer input. Throws Error{Unsupported} when it is not constant.
  std::vector<std::int64_t> input_integers(std::size_t i) const;
  /// An attribute `axis` counted from the front.
  std::size_t axis(std::int64_t fallback, std::size_t rank) const;
  /// Throws Error{Unsupported} "operator X (node N): reason".
  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  const graph::Value& value(graph::ValueId id) const;
  const graph::Graph& graph_;
  const graph::Node& node_;
};

using Prepare = Compute (*)(const Site&);

/// Operator -> how it is prepared; default domain only.
const std::map<std::string_view, Prepare>& kernels();

/// Splits [0, count) among the pool's threads in pieces of at least `grain`.
void for_ranges(Pool& pool, std::int64_t count, std::int64_t grain,
                const std::function<void(std::int64_t begin, std::int64_t end)>& body);

Compute prepare_conv(const Site&);
Compute prepare_conv_transpose(const Site&);
Compute prepare_gemm(const Site&);
Compute prepare_matmul(const Site&);
Compute prepare_batch_norm(const Site&);
Compute prepare_group_norm(const Site&);
Compute prepare_layer_norm(const Site&);
Compute prepare_lrn(const Site&);
Compute prepare_softmax(const Site&);
Compute prepare_hardmax(const Site&);
Compute prepare_max_pool(const Site&);
Compute prepare_average_pool(const Site&);
Compute prepare_global_average_pool(const Site&);
Compute prepare_global_max_pool(const Site&);
Compute prepare_unary(const Site&);
Compute prepare_binary(const Site&);
Compute prepare_compare(const Site&);
Compute prepare_power(const Site&);
Compute prepare_prelu(const Site&);
Compute prepare_where(const Site&);
Compute prepare_clip(const Site&);
Compute prepare_is_nan(const Site&);
Compute prepare_is_infinite(const Site&);
Compute prepare_dropout(const Site&);
Compute prepare_copy(const Site&);
Compute prepare_cast(const Site&);
Compute prepare_concat(const Site&);
Compute prepare_split(const Site&);
Compute prepare_pad(const Site&);
Compute prepare_strided(const Site&);
Compute prepare_gather(const Site&);
Compute prepare_gather_elements(const Site&);
Compute prepare_gather_nd(const Site&);
Compute prepare_scatter_elements(const Site&);
Compute prepare_scatter_nd(const Site&);
Compute prepare_top_k(const Site&);
Compute prepare_one_hot(const Site&);
Compute prepare_non_zero(const Site&);
Compute prepare_shape_of(const Site&);
Compute prepare_size_of(const Site&);
Compute prepare_range(const Site&);
Compute prepare_fill(const Site&);
Compute prepare_trilu(const Site&);
Compute prepare_cum_sum(const Site&);
Compute prepare_reduce(const Site&);
Compute prepare_arg_reduce(const Site&);
Compute prepare_resize(const Site&);
Compute prepare_recurrent(const Site&);

}  // namespace inferometer::reference
