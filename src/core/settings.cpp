// SPDX-License-Identifier: Apache-2.0
#include "core/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/cpu.hpp"
#include "base/text.hpp"
#include "core/hash.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

std::vector<std::string> symbols_of(const graph::Signature& signature) {
  std::vector<std::string> symbols;
  for (const Port& port : signature.inputs) {
    for (const Dim& dim : port.shape) {
      if (!dim.symbol.empty() &&
          std::find(symbols.begin(), symbols.end(), dim.symbol) == symbols.end()) {
        symbols.push_back(dim.symbol);
      }
    }
  }
  return symbols;
}

void check_symbols(const Resolved& resolved, const graph::Signature& signature) {
  const std::vector<std::string> symbols = symbols_of(signature);
  for (const auto& [symbol, size] : resolved.dims) {
    const std::string param = "dim." + symbol;
    if (symbol == signature.batch_symbol) {
      throw Error(
          Status::Invalid,
          fmt::format("param \"{}\": {} is the batch axis; give batch_size instead", param, symbol),
          {{"param", param}, {"nearest", "batch_size"}});
    }
    if (std::find(symbols.begin(), symbols.end(), symbol) != symbols.end()) continue;
    const std::string near = nearest(symbol, symbols);
    throw Error(Status::Invalid,
                fmt::format("param \"{}\" = {}: the inputs have no symbol {}; they have: {}", param,
                            size, printable(symbol), symbols.empty() ? "none" : join(symbols)),
                {{"param", param}, {"nearest", near.empty() ? "" : "dim." + near}});
  }
}

void refuse_dims(const Resolved& resolved, const std::filesystem::path& path,
                 const ModelFile& file) {
  if (resolved.dims.empty()) return;
  const auto& [symbol, size] = *resolved.dims.begin();
  throw Error(Status::Unsupported,
              fmt::format("param \"dim.{}\" = {}: the symbols of {} can't be told ({})", symbol,
                          size, path.string(), file.why.empty() ? "not an ONNX file" : file.why),
              {{"param", "dim." + symbol}, {"value", std::to_string(size)}});
}

std::int64_t settle_batch(const Resolved& resolved, const graph::Signature& signature,
                          const std::filesystem::path& path) {
  const bool dynamic = !signature.batch_symbol.empty();
  if (dynamic) return std::max<std::int64_t>(resolved.batch_size, 1);
  const std::int64_t fixed = signature.batch_size > 0 ? signature.batch_size : 1;
  if (resolved.batch_size == 0 || resolved.batch_size == fixed) return fixed;
  throw Error(
      Status::Invalid,
      fmt::format("param \"batch_size\" = {}: {} {}; give {} or a file with a dynamic batch",
                  resolved.batch_size, path.string(),
                  signature.batch_size > 0
                      ? fmt::format("is fixed to batches of {}", fixed)
                      : "has no batch axis (" + signature.batch_axis_reason + ")",
                  fixed),
      {{"param", "batch_size"}, {"value", std::to_string(resolved.batch_size)}});
}

// Concrete sizes where they are known now, -1 elsewhere.
Json input_shapes(const graph::Signature& signature, const Resolved& resolved,
                  std::int64_t batch_size) {
  Json shapes = Json::array();
  for (const Port& port : signature.inputs) {
    Json shape = Json::array();
    for (std::size_t axis = 0; axis < port.shape.size(); ++axis) {
      const Dim& dim = port.shape[axis];
      const auto asked = resolved.dims.find(dim.symbol);
      if (port.batch_axis && static_cast<std::size_t>(*port.batch_axis) == axis) {
        shape.push_back(batch_size);
      } else {
        shape.push_back(asked != resolved.dims.end() ? asked->second : dim.size);
      }
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

Port port_from_json(const Json& json) {
  Port port;
  port.name = json.at("name").get<std::string>();
  port.dtype = parse_dtype(json.at("dtype").get<std::string>());
  for (const auto size : json.at("shape").get<std::vector<std::int64_t>>())
    port.shape.push_back({size, {}});
  return port;
}

std::vector<Port> ports_from_json(const Json& list) {
  std::vector<Port> ports;
  for (const Json& json : list) ports.push_back(port_from_json(json));
  return ports;
}

// The file's ports (names, symbols, batch axis), with what the engine fixed.
std::vector<Port> merged(std::vector<Port> engine, const std::vector<Port>& file,
                         const std::string& side, const Json& dims) {
  if (engine.size() != file.size()) {
    throw Error(Status::LoadFailed, fmt::format("the engine reports {} {}s, the file has {}",
                                                engine.size(), side, file.size()));
  }
  std::vector<Port> ports = file;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (engine[i].dtype != ports[i].dtype) {
      throw Error(
          Status::LoadFailed,
          fmt::format("{} \"{}\": the engine reports {}, the file says {}", side, ports[i].name,
                      to_string(engine[i].dtype), to_string(ports[i].dtype)));
    }
    if (engine[i].shape.size() != ports[i].shape.size()) {
      ports[i].shape = engine[i].shape;  // an output whose rank the file doesn't tell
      continue;
    }
    for (std::size_t axis = 0; axis < ports[i].shape.size(); ++axis) {
      Dim& dim = ports[i].shape[axis];
      const bool batch =
          ports[i].batch_axis && static_cast<std::size_t>(*ports[i].batch_axis) == axis;
      if (batch || dim.size >= 0) continue;
      if (const auto fixed = dims.find(dim.symbol); fixed != dims.end())
        dim = {fixed->get<std::int64_t>(), {}};
      if (dim.size < 0 && dim.symbol.empty()) dim.size = engine[i].shape[axis].size;
    }
  }
  return ports;
}

// A batch_size that isn't even the fixed leading size would be ignored.
void require_leading(const Info& info, std::int64_t batch_size) {
  const auto has_it = [&](const Port& port) {
    return !port.shape.empty() && port.shape.front().size == batch_size;
  };
  if (batch_size == 1 || std::ranges::all_of(info.inputs, has_it)) return;
  throw Error(Status::Unsupported,
              fmt::format("param \"batch_size\" = {}: {} has no batch axis that can be told; leave "
                          "it out and give tensors of the model's own shapes",
                          batch_size, info.model_path),
              {{"param", "batch_size"}, {"value", std::to_string(batch_size)}});
}

// Without a file that we can read: rows are what is dynamic in front on every side.
void guess_batch_axis(Info& info, std::int64_t batch_size) {
  const auto leads = [](const Port& port) {
    return !port.shape.empty() && port.shape.front().size < 0;
  };
  const bool all = !info.inputs.empty() &&
                   std::all_of(info.inputs.begin(), info.inputs.end(), leads) &&
                   std::all_of(info.outputs.begin(), info.outputs.end(), leads);
  if (!all) return require_leading(info, batch_size);
  for (Port& port : info.inputs) port.batch_axis = 0;
  for (Port& port : info.outputs) port.batch_axis = 0;
  info.notes.emplace_back("batch axis 0: every input and output is dynamic there");
}

}  // namespace

Settings settle(const std::filesystem::path& path, const Resolved& resolved,
                const ModelFile& file) {
  Settings settings;
  Params params = resolved.params;
  Json dims = Json::object();
  for (const auto& [symbol, size] : resolved.dims) dims[symbol] = size;
  if (file.signature) {
    check_symbols(resolved, *file.signature);
    settings.batch_size = settle_batch(resolved, *file.signature, path);
    settings.dynamic_batch = !file.signature->batch_symbol.empty();
    settings.json["input_shapes"] = input_shapes(*file.signature, resolved, settings.batch_size);
  } else {
    refuse_dims(resolved, path, file);
    settings.batch_size = std::max<std::int64_t>(resolved.batch_size, 1);
  }
  params.insert_or_assign("batch_size", settings.batch_size);
  settings.json["params"] = to_json(params);
  settings.json["dims"] = std::move(dims);
  settings.json["dynamic_batch"] = settings.dynamic_batch;
  return settings;
}

std::string artifact_key(const Settings& settings, const Resolved& resolved,
                         const EngineStatus& engine, const std::string& plugin_hash,
                         const std::string& model_hash) {
  Hasher hasher;
  // The version too: the library file may be a thin one over others (OpenVINO's C API).
  for (const std::string& part :
       {model_hash, plugin_hash, engine.library_hash, engine.version, cpu_features()})
    hasher.feed(part);
  hasher.feed(settings.json.value("input_shapes", Json::array()).dump());
  hasher.feed(settings.json.at("dims").dump());
  hasher.feed(settings.dynamic_batch ? "dynamic" : "fixed");
  const auto feed_param = [&](const ParamSpec& spec) {
    if (spec.affects != ParamSpec::Affects::Compile) return;
    hasher.feed(spec.name);
    hasher.feed(to_json(resolved.params.at(spec.name)).dump());
  };
  std::for_each(unified_params().begin(), unified_params().end(), feed_param);
  std::for_each(engine.params.begin(), engine.params.end(), feed_param);
  return hasher.hex();
}

void add_engine_info(Info& info, const Json& answer, const ModelFile& file,
                     const Settings& settings) {
  try {
    info.inputs = ports_from_json(answer.at("inputs"));
    info.outputs = ports_from_json(answer.at("outputs"));
    info.effective = answer.value("effective", std::map<std::string, std::string>{});
    info.proof = answer.value("proof", std::map<std::string, std::string>{});
    info.load_phases_ns = answer.value("phases_ns", std::map<std::string, std::int64_t>{});
    info.dynamic_batch = answer.value("dynamic_batch", false);
    info.from_artifact = answer.value("from_artifact", false);
    for (auto& note : answer.value("notes", std::vector<std::string>{}))
      info.notes.push_back(std::move(note));
  } catch (const std::exception& error) {  // of the JSON library, or a dtype that is none
    throw Error(Status::LoadFailed,
                info.engine + ": its plugin gave a bad answer: " + printable(error.what()));
  }
  info.requested.insert_or_assign("batch_size", settings.batch_size);
  if (!file.signature) {
    guess_batch_axis(info, settings.batch_size);
    if (!file.why.empty()) info.notes.push_back(file.why);
    return;
  }
  info.inputs =
      merged(std::move(info.inputs), file.signature->inputs, "input", settings.json.at("dims"));
  info.outputs =
      merged(std::move(info.outputs), file.signature->outputs, "output", settings.json.at("dims"));
  info.notes.push_back("batch axis: " + file.signature->batch_axis_reason);
}

}  // namespace inferometer::core
