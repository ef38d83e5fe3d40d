// SPDX-License-Identifier: Apache-2.0
// Layers with seeded weights. Each layer knows roughly how its input is distributed and scales its
// weights so that its output has variance 1: a trained network's batch statistics without training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/builder.hpp"
#include "graph/zoo.hpp"
#include "graph/zoo_weights.hpp"

namespace inferometer::graph {

/// An activation [N, channels, height, width], or [N, channels] with height = width = 1, and what
/// its elements look like over channels, places and inputs.
struct Signal {
  ValueId id = kNoValue;
  std::int64_t channels = 0;
  std::int64_t height = 1, width = 1;
  double mean = 0;
  double variance = 1;
  std::vector<double> channel_means, channel_variances;  ///< empty: all channels are alike
};

enum class Bias { None, Small, Wide };

struct ConvSpec {
  std::int64_t outputs = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;  ///< 1 or the number of input channels (depthwise)
  Bias bias = Bias::None;
  double variance = 1;  ///< wanted of the output
};

struct PoolSpec {
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
  std::int64_t pad = 0;
};

class Layers {
 public:
  Layers(const std::string& name, const ZooOptions& options);

  /// A port of N(0,1) numbers with the batch axis first.
  Signal input(const std::string& name, const std::vector<std::int64_t>& sample_shape);
  /// Padded by kernel / 2.
  Signal conv(const Signal& x, const ConvSpec& spec);
  /// `gain` is the standard deviation of the output.
  Signal batch_norm(const Signal& x, double gain = 1);
  Signal relu(const Signal& x);
  /// x * sigmoid(x).
  Signal swish(const Signal& x);
  Signal sigmoid(const Signal& x);
  Signal add(const Signal& a, const Signal& b);
  /// `gate` is [N, channels, 1, 1].
  Signal gated(const Signal& x, const Signal& gate);
  Signal concat(const std::vector<Signal>& parts);
  Signal max_pool(const Signal& x, const PoolSpec& spec);
  Signal average_pool(const Signal& x, const PoolSpec& spec);
  Signal global_average_pool(const Signal& x);
  Signal flatten(const Signal& x);
  Signal gemm(const Signal& x, std::int64_t outputs, double variance = 1);

  /// `spread`: how far the logits of the classes lie apart (their standard deviation).
  void classify(const Signal& features, std::int64_t classes, double spread,
                const std::string& name);
  void output(const Signal& x, const std::string& name) { builder_.output(x.id, name); }
  Graph build() { return builder_.build(); }

 private:
  RandomStream next_stream() { return {seed_, stream_++}; }
  std::string next_name(const std::string& kind);
  Signal after(const Signal& x, const std::string& op, std::vector<ValueId> operands,
               Builder::Attributes attributes, const std::string& name);
  ValueId small(const std::string& name, std::int64_t count, float low, float high);

  Builder builder_;
  std::uint64_t seed_;
  std::optional<std::int64_t> batch_;
  std::uint64_t stream_ = 0;
  std::map<std::string, int> counts_;
};

}  // namespace inferometer::graph
