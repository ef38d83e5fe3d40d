// SPDX-License-Identifier: Apache-2.0
#include "campaign/golden.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "base/text.hpp"
#include "measure/golden.hpp"
#include "measure/parity.hpp"
#include "measure/pool.hpp"

namespace inferometer::campaign {
namespace {

bool has_rows(const std::vector<Port>& ports) {
  return std::ranges::any_of(ports, [](const Port& port) { return port.batch_axis.has_value(); });
}

Params dims_of(const Params& params) {
  Params dims;
  for (const auto& [name, value] : params)
    if (name.starts_with("dim.")) dims.insert_or_assign(name, value);
  return dims;
}

// Its version says nothing of what was mended since; the hash of its code does.
std::string reference_name(Lab& lab) {
  return "reference " + lab.plugin_hash("reference");
}

// The first `rows` of outputs that may have more.
std::vector<Tensor> trimmed(std::vector<Tensor> outputs, const std::vector<Port>& ports,
                            std::int64_t rows) {
  for (std::size_t i = 0; i < ports.size(); ++i)
    if (const auto axis = ports[i].batch_axis)
      outputs[i] = measure::take_rows(outputs[i], *axis, 0, rows);
  return outputs;
}

std::optional<std::vector<Tensor>> read_kept(const std::filesystem::path& file,
                                             const measure::GoldenKey& key,
                                             const GoldenRequest& request) {
  if (file.empty() || !std::filesystem::exists(file)) return std::nullopt;
  try {
    auto kept = measure::read_golden(file);
    if (kept.key != key || kept.rows < request.rows ||
        kept.outputs.size() != request.info.outputs.size())
      return std::nullopt;
    return trimmed(std::move(kept.outputs), request.info.outputs, request.rows);
  } catch (const Error&) {
    return std::nullopt;  // damaged: computed again and replaced
  }
}

void keep(const std::filesystem::path& file, const measure::GoldenKey& key, std::int64_t rows,
          const std::vector<Tensor>& outputs) {
  if (file.empty()) return;
  try {
    std::filesystem::create_directories(file.parent_path());
    measure::write_golden(file, {key, rows, outputs});
  } catch (const std::exception&) {
    // A cache that can't be written costs time, nothing else.
  }
}

std::vector<Tensor> ask_engine(const std::string& engine, const GoldenRequest& request,
                               const std::vector<Tensor>& pool, Lab& lab) {
  const auto worker =
      lab.worker({request.cell.model, engine, engine, dims_of(request.cell.params), "parity"});
  if (worker->load().info.synthetic)
    throw Error(Status::Unsupported, engine + " makes its outputs up");
  return worker->predict(std::vector<View>(pool.begin(), pool.end()));
}

std::span<const InputSource> sources_of(const GoldenRequest& request) {
  if (request.expect == nullptr) return {};
  return request.expect->inputs;
}

// What beside model, reference and seed decides the answer.
std::string key_params(const GoldenRequest& request) {
  auto text = fmt::format("{} pool {}", inferometer::to_json(dims_of(request.cell.params)).dump(),
                          measure::kPoolVersion);
  for (const auto& source : sources_of(request))
    if (const auto* fill = std::get_if<measure::Fill>(&source))
      text += " " + measure::to_string(*fill);
  return text;
}

std::vector<Tensor> reference_outputs(const GoldenRequest& request, const std::vector<Tensor>& pool,
                                      Lab& lab) {
  const measure::GoldenKey key{request.model_hash, reference_name(lab), key_params(request),
                               request.seed};
  // The key says nothing of given tensors: what they lead to isn't kept.
  const bool can_keep =
      all_drawn(sources_of(request)) && !request.cache_dir.empty() && !key.model_hash.empty();
  const auto file = can_keep ? request.cache_dir / "goldens" / measure::golden_name(key)
                             : std::filesystem::path();
  if (auto kept = read_kept(file, key, request)) return *std::move(kept);
  auto outputs = ask_engine("reference", request, pool, lab);
  keep(file, key, request.rows, outputs);
  return outputs;
}

bool agree(const GoldenRequest& request, const std::vector<Tensor>& a,
           const std::vector<Tensor>& b) {
  const auto& ports = request.info.outputs;
  for (std::size_t i = 0; i < ports.size(); ++i)
    if (!measure::passes(measure::compare_outputs(a.at(i), b.at(i), ports[i].batch_axis),
                         measure::gate_of("fp32")))
      return false;
  return true;
}

// Without reference: what two unrelated engines say alike. Throws Error saying why not.
void ask_two_engines(const GoldenRequest& request, Lab& lab, Golden& golden) {
  std::vector<std::string> names;
  std::vector<std::vector<Tensor>> answers;
  for (const auto& engine : lab.engines()) {
    if (!engine.available || engine.name == "reference") continue;
    try {
      answers.push_back(ask_engine(engine.name, request, golden.inputs, lab));
      names.push_back(engine.name);
    } catch (const Error&) {
      // It is not the one to ask.
    }
    if (answers.size() == 2) break;
  }
  if (answers.size() < 2) throw Error(Status::Unavailable, "no two other engines take the model");
  if (!agree(request, answers[0], answers[1]))
    throw Error(Status::Mismatch, fmt::format("{} and {} differ", names[0], names[1]));
  golden.outputs = std::move(answers[0]);
  golden.source = fmt::format("agreement of {} and {}", names[0], names[1]);
}

// Of the first tensor that has rows; 1 without any.
std::int64_t rows_among(const std::vector<Port>& ports, const std::vector<Tensor>& tensors) {
  for (std::size_t i = 0; i < ports.size(); ++i)
    if (const auto rows = rows_of(ports[i], tensors[i])) return *rows;
  return 1;
}

std::vector<Tensor> inputs_for(const GoldenRequest& request, std::int64_t rows,
                               std::uint64_t seed) {
  return make_inputs(request.info.inputs, sources_of(request), rows, seed);
}

Golden take_expected(const GoldenRequest& request) {
  const auto& expect = *request.expect;
  const auto& ports = request.info.outputs;
  if (expect.outputs.size() != ports.size())
    throw Error(Status::Invalid,
                fmt::format("{}: {} outputs are given, the model has {}", printable(expect.name),
                            expect.outputs.size(), ports.size()));
  const auto rows = rows_among(ports, expect.outputs);
  return {inputs_for(request, rows, request.seed), inputs_for(request, rows, request.seed + 1),
          expect.outputs, expect.name, ""};
}

// The golden's rows in turn, as many as the batch has: what the outputs should be.
measure::ParityFigures compare_port(const Tensor& golden, const Tensor& output, const Port& port,
                                    std::optional<measure::Softmax> softmax) {
  if (!port.batch_axis) return measure::compare_outputs(golden, output, std::nullopt, softmax);
  const auto axis = static_cast<std::size_t>(*port.batch_axis);
  if (axis >= output.shape().rank() || axis >= golden.shape().rank())
    return measure::compare_outputs(golden, output, std::nullopt,
                                    softmax);  // throws: shapes differ
  const auto rows = output.shape()[axis];
  return measure::compare_outputs(measure::repeat_rows(golden, *port.batch_axis, rows), output,
                                  port.batch_axis, softmax);
}

std::string failure_text(const Port& port, const measure::ParityFigures& figures, double gate,
                         const std::string& source) {
  return fmt::format(
      "output '{}': error {:.3g} against {} exceeds {:.3g} (NaN {}, Inf {}, wrong {}); ",
      printable(port.name), measure::gated_error(figures), source, gate, figures.nan, figures.inf,
      figures.wrong);
}

}  // namespace

std::vector<Tensor> pool_batch(const std::vector<Port>& ports, const std::vector<Tensor>& pool,
                               std::int64_t rows, Lab& lab, std::int64_t first) {
  std::vector<Tensor> batch;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto source = ports[i].batch_axis
                            ? measure::repeat_rows(pool[i], *ports[i].batch_axis, rows, first)
                            : pool[i];
    auto shared = lab.shared(source.dtype(), source.shape());
    std::memcpy(shared.data(), source.data(), source.view().size_bytes());
    batch.push_back(std::move(shared));
  }
  return batch;
}

Golden make_golden(const GoldenRequest& given, Lab& lab) {
  auto request = given;
  request.rows = has_rows(request.info.inputs)
                     ? std::clamp<std::int64_t>(request.rows, 1, measure::kPoolRows)
                     : 1;
  Golden golden;
  if (request.expect && !request.expect->outputs.empty()) return take_expected(request);
  golden.inputs = inputs_for(request, request.rows, request.seed);
  golden.other_inputs = inputs_for(request, request.rows, request.seed + 1);
  if (request.info.synthetic) {
    golden.source = "unverified";
    golden.why = request.info.engine + " makes its outputs up";
    return golden;
  }
  try {
    golden.outputs = reference_outputs(request, golden.inputs, lab);
    golden.source = "reference";
    return golden;
  } catch (const Error& error) {
    golden.why = fmt::format("no golden outputs: reference: {}", error.what());
  }
  try {
    ask_two_engines(request, lab, golden);
  } catch (const Error& error) {
    golden.source = "unverified";
    golden.why += fmt::format("; {}", error.what());
  }
  return golden;
}

Parity compare_with(const Golden& golden, const std::vector<Port>& ports,
                    const std::vector<Tensor>& outputs, const std::string& precision,
                    std::span<const std::optional<measure::Softmax>> softmaxes) {
  Parity parity;
  parity.values["parity_golden"] = golden.source;
  if (golden.outputs.empty()) {
    parity.warnings.push_back("unverified: " + golden.why);
    return parity;
  }
  const auto gate = measure::gate_of(precision);
  parity.values["parity_gate"] = gate;
  std::optional<measure::ParityFigures> worst;
  std::string where;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto softmax = i < softmaxes.size() ? softmaxes[i] : std::nullopt;
    const auto figures = compare_port(golden.outputs[i], outputs[i], ports[i], softmax);
    if (!worst || measure::is_worse(figures, *worst)) {
      worst = figures;
      where = ports[i].name;
    }
    if (!measure::passes(figures, gate))
      parity.failure += failure_text(ports[i], figures, gate, golden.source);
  }
  parity.values.update(measure::to_json(*worst));
  parity.values["parity_output"] = where;
  parity.figures = worst;
  return parity;
}

}  // namespace inferometer::campaign
