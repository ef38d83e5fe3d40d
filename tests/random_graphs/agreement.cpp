// SPDX-License-Identifier: Apache-2.0
#include "agreement.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "draft.hpp"
#include "graph/onnx.hpp"
#include "inferometer/model.hpp"

namespace inferometer::random_graphs {
namespace {

/// Of a value's bound, and of the value: float arithmetic in another order.
constexpr double kAbsolute = 1e-4, kRelative = 1e-4;

std::uint64_t seed_of(const std::string& name) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a: the same on every machine
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

Tensor input_for(const Port& port, const RandomGraph& graph) {
  Sizes sizes;
  for (const auto& dim : port.shape) sizes.push_back(dim.size < 0 ? kRowsMeant : dim.size);
  Tensor x(port.dtype, Shape(sizes));
  Random random(seed_of(port.name));
  if (port.dtype == DType::F32)
    for (auto& value : x.as<float>()) value = random.real();
  else
    for (auto& value : x.as<std::int64_t>()) value = random.between(0, graph.whole.at(port.name));
  return x;
}

std::vector<Tensor> run(const std::string& engine, const RandomGraph& graph,
                        const std::filesystem::path& file, std::int64_t batch_size,
                        std::vector<std::string>& names) {
  // Engines may crash on legal graphs: that costs a worker, not this program.
  const bool ours = engine == "reference";
  Params params = {{"engine", engine}, {"threads", 1}, {"isolation", ours ? "none" : "process"}};
  if (batch_size > 0) params.insert({"batch_size", batch_size});
  const Model model = load(file, params);
  std::vector<Tensor> inputs;
  for (const auto& port : model.info().inputs) inputs.push_back(input_for(port, graph));
  std::vector<View> views(inputs.begin(), inputs.end());
  names.clear();
  for (const auto& port : model.info().outputs) names.push_back(port.name);
  return model.predict(views);
}

std::string difference(const Tensor& golden, const Tensor& y, double bound) {
  if (y.dtype() != golden.dtype() || y.shape() != golden.shape())
    return fmt::format("{} {} instead of {} {}", to_string(y.dtype()), to_string(y.shape()),
                       to_string(golden.dtype()), to_string(golden.shape()));
  const auto expected = golden.as<const float>(), got = y.as<const float>();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double g = expected[i], v = got[i];
    const double limit = kAbsolute * bound + kRelative * std::abs(g);
    // A shrunk graph feeds functions what they aren't defined for.
    if (std::isnan(g) && std::isnan(v)) continue;
    // Not "> limit": NaN must differ.
    if (!(std::abs(v - g) <= limit))
      return fmt::format("element {} of {} is {} instead of {} (bound {:.3g})", i, expected.size(),
                         v, g, bound);
  }
  return "";
}

std::string beyond(const Tensor& golden, double bound) {
  for (const double g : golden.as<const float>())
    if (!(std::abs(g) <= bound * (1 + kRelative)))
      return fmt::format("{} is beyond the generator's bound {:.3g}", g, bound);
  return "";
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.view().size_bytes()) == 0;
}

bool has_batch(const RandomGraph& graph) {
  const auto& inputs = graph.graph.inputs;
  return !inputs.empty() && !graph.graph.value(inputs.front()).shape->empty() &&
         graph.graph.value(inputs.front()).shape->front().size < 0;
}

Judgement compare(const std::string& engine, const RandomGraph& graph,
                  const std::filesystem::path& file, const std::vector<Tensor>& golden) {
  const bool itself = engine == "reference";
  std::vector<std::string> names;
  const auto y = run(engine, graph, file, has_batch(graph) ? (itself ? 1 : kRowsMeant) : 0, names);
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const auto bound = graph.bounds.at(names[i]);
    auto what = itself ? beyond(golden[i], bound) : difference(golden[i], y[i], bound);
    if (itself && !same_bits(golden[i], y[i])) what = "other bits when rows run one by one";
    if (!what.empty()) return {Verdict::Differs, fmt::format("{}: {}", names[i], what)};
  }
  return {};
}

}  // namespace

Judgement judge(const std::string& engine, const RandomGraph& graph,
                const std::filesystem::path& file) {
  graph::write_onnx(graph.graph, file);
  std::vector<std::string> names;
  const auto golden = run("reference", graph, file, has_batch(graph) ? kRowsMeant : 0, names);
  try {
    return compare(engine, graph, file, golden);
  } catch (const Error& error) {
    const bool refused = error.code() == Status::Unsupported || error.code() == Status::LoadFailed;
    return {refused ? Verdict::Refused : Verdict::Differs,
            fmt::format("{}: {}", to_string(error.code()), error.what())};
  }
}

}  // namespace inferometer::random_graphs
