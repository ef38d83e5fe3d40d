// SPDX-License-Identifier: Apache-2.0
// A graph while it grows. Every value has a bound on its elements' size, kept small, so that
// rounding stays small and agreement can be asked of any two engines.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "random.hpp"

namespace inferometer::random_graphs {

/// The size that stands for a symbolic batch while sizes are chosen.
inline constexpr std::int64_t kRowsMeant = 3;
/// Values beyond these aren't made: graphs should be many and quick.
inline constexpr std::int64_t kMostElements = 4096;
inline constexpr std::size_t kHighestRank = 5;
inline constexpr double kLargestBound = 8;

using Attributes = std::map<std::string, graph::Attribute>;
using Sizes = std::vector<std::int64_t>;

/// A float value that nodes may read.
struct Live {
  graph::ValueId id = graph::kNoValue;
  double bound = 1;  ///< no element is larger in size
};

class Draft {
 public:
  Draft(std::uint64_t seed, std::int64_t opset, bool has_batch);

  Random random;
  std::vector<Live> pool;   ///< of floats, oldest first
  std::vector<Live> whole;  ///< int64 values 0..bound, for what needs exact numbers

  std::int64_t opset() const { return graph_.opset; }
  const graph::Graph& graph() const { return graph_; }
  /// The first axis that an operator may touch: rows of a batch stay independent.
  std::size_t first_axis() const { return has_batch_ ? 1 : 0; }
  std::size_t rank(graph::ValueId id) const { return graph_.value(id).shape->size(); }
  /// Its shape; -1 for the batch.
  Sizes sizes(graph::ValueId id) const;
  std::int64_t elements(const Sizes& sizes) const;
  bool fits(const Sizes& sizes) const;

  void add_input(DType dtype, const Sizes& sizes, double bound);
  /// Elements in -scale..scale; now and then one of that shape that is already there.
  graph::ValueId floats(const Sizes& shape, double scale);
  graph::ValueId integers(const Sizes& values);
  graph::ValueId integer(std::int64_t value);
  graph::ValueId real(float value);
  graph::ValueId reals(const std::vector<float>& values);

  /// The outputs of a new node, shapes inferred. Throws when the node isn't legal.
  std::vector<graph::ValueId> nodes(const std::string& op, std::vector<graph::ValueId> inputs,
                                    std::size_t outputs, Attributes attributes = {});
  graph::ValueId node(const std::string& op, std::vector<graph::ValueId> inputs,
                      Attributes attributes = {});
  /// Puts a float value in the pool, through Tanh when its bound has become too large.
  void keep(graph::ValueId id, double bound);

  /// A float of the pool, the younger the likelier.
  const Live& any();
  /// One of them with lowest <= rank <= highest.
  std::optional<Live> any_of_rank(std::size_t lowest, std::size_t highest = kHighestRank);
  /// An axis of `id` that may be touched; needs rank > first_axis().
  std::int64_t any_axis(graph::ValueId id);

  /// With these outputs, without what they don't need.
  graph::Graph finish(const std::vector<graph::ValueId>& outputs) const;

 private:
  graph::ValueId add_value(graph::Value value);
  graph::ValueId add_constant(graph::Constant constant);

  graph::Graph graph_;
  bool has_batch_;
  std::vector<Live> weights_;  ///< float initialisers, to be shared
};

}  // namespace inferometer::random_graphs
