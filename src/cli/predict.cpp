// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>

#include "base/npy.hpp"
#include "base/text.hpp"
#include "campaign/session.hpp"
#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/port_files.hpp"
#include "cli/table.hpp"
#include "inferometer/inferometer.hpp"
#include "measure/pool.hpp"

namespace inferometer::cli {
namespace {

struct Given {
  std::filesystem::path model;
  std::string engine = "auto";
  std::vector<std::string> params, inputs, outputs;
};

struct Computed {
  std::vector<Tensor> outputs;
  std::int64_t load_ns = 0, first_inference_ns = 0;
};

template <class Body>
std::int64_t timed_ns(Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
}

Json tensor_json(const Port& port, const Tensor& tensor, const std::optional<std::string>& path) {
  const auto dims = tensor.shape().dims();
  return {{"name", port.name},
          {"dtype", to_string(tensor.dtype())},
          {"shape", std::vector<std::int64_t>(dims.begin(), dims.end())},
          {"path", path ? Json(*path) : Json()}};
}

Json reply_data(const Info& info, const Computed& computed,
                const std::vector<std::optional<std::string>>& files) {
  Json outputs = Json::array();
  for (std::size_t i = 0; i < info.outputs.size(); ++i)
    outputs.push_back(tensor_json(info.outputs[i], computed.outputs[i], files[i]));
  return {{"engine", info.engine},
          {"engine_choice", info.engine_choice},
          {"engine_version", info.engine_version},
          {"library", info.library},
          {"library_hash", info.library_hash},
          {"model", info.model_path},
          {"params", to_json(info.requested)},
          {"effective_params", info.effective},
          {"effective_proof", info.proof},
          {"notes", info.notes},
          {"load_total_ns", computed.load_ns},
          {"first_inference_ns", computed.first_inference_ns},
          {"outputs", std::move(outputs)}};
}

std::string outputs_text(const Info& info, const Computed& computed,
                         const std::vector<std::optional<std::string>>& files) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < info.outputs.size(); ++i) {
    const Tensor& tensor = computed.outputs[i];
    rows.push_back({printable(info.outputs[i].name),
                    fmt::format("{} {}", to_string(tensor.dtype()), to_string(tensor.shape())),
                    files[i].value_or("not written: no --output for it")});
  }
  return table_text({{"output"}, {"dtype and shape"}, {"file"}}, rows);
}

std::string effective_text(const Info& info) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : info.effective) {
    const auto proof = info.proof.find(name);
    rows.push_back({name, value, proof == info.proof.end() ? "" : proof->second});
  }
  std::string text = "\n" + table_text({{"effective"}, {"value"}, {"known by"}}, rows);
  for (const auto& note : info.notes) text += "note: " + note + "\n";
  return text;
}

Reply predict(const Given& given, const Console& console) {
  Params params = parse_params(given.params);
  params.insert_or_assign("engine", given.engine);

  Computed computed;
  std::optional<Model> model;
  computed.load_ns = timed_ns([&] { model.emplace(load(given.model, params)); });
  const Info& info = model->info();
  const auto inputs = parse_named_paths("--input", info.inputs, given.inputs);
  const auto outputs = parse_named_paths("--output", info.outputs, given.outputs);
  const auto files = files_of_ports("--output", info.outputs, outputs);
  const auto tensors =
      campaign::make_inputs(info.inputs, read_sources("--input", info.inputs, inputs),
                            campaign::batch_rows(info), measure::kSeed);
  const std::vector<View> views(tensors.begin(), tensors.end());
  computed.first_inference_ns = timed_ns([&] { computed.outputs = model->predict(views); });
  for (std::size_t i = 0; i < files.size(); ++i)
    if (files[i]) write_npy(*files[i], computed.outputs[i]);

  Reply reply;
  reply.data = reply_data(info, computed, files);
  reply.text =
      fmt::format("{} on {} {} ({})\n{}", given.model.string(), info.engine, info.engine_version,
                  info.engine_choice, outputs_text(info, computed, files));
  if (console.verbosity == Verbosity::Verbose) reply.text += effective_text(info);
  return reply;
}

}  // namespace

Action declare_predict(Options& options) {
  const auto given = std::make_shared<Given>();
  options.add("model", given->model, "MODEL", "The model file").needed = Option::Needed::Yes;
  options.add("--engine", given->engine, "NAME",
              "The engine; default auto: the first that takes the model");
  options.add("-p,--param", given->params, "KEY=VALUE",
              "A param, repeatable; `inferometer engines NAME` lists them");
  options.add("--input", given->inputs, "[NAME=]FILE",
              "A .npy file for an input, or how to draw one batch of it (:normal, :int:0..9); NAME "
              "may be left out when there is one");
  options.add("--output", given->outputs, "[NAME=]FILE", "A .npy file to write an output to");
  return [given](const Console& console) { return predict(*given, console); };
}

}  // namespace inferometer::cli
