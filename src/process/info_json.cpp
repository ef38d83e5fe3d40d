// SPDX-License-Identifier: Apache-2.0
#include "process/info_json.hpp"

#include <algorithm>
#include <charconv>

namespace inferometer::process {

namespace {

Json port_to_json(const Port& port) {
  Json shape = Json::array();
  for (const Dim& dim : port.shape) shape.push_back({{"size", dim.size}, {"symbol", dim.symbol}});
  Json json = {{"name", port.name}, {"dtype", to_string(port.dtype)}, {"shape", shape}};
  json["batch_axis"] = port.batch_axis ? Json(*port.batch_axis) : Json(nullptr);
  return json;
}

Port port_from_json(const Json& json) {
  Port port{.name = json.at("name"), .dtype = parse_dtype(json.at("dtype").get<std::string>())};
  for (const Json& dim : json.at("shape"))
    port.shape.push_back({.size = dim.at("size"), .symbol = dim.at("symbol")});
  const Json& axis = json.at("batch_axis");
  if (!axis.is_null()) port.batch_axis = axis.get<int>();
  const int rank = static_cast<int>(port.shape.size());
  if (rank > static_cast<int>(kMaxRank) ||
      (port.batch_axis && (*port.batch_axis < 0 || *port.batch_axis >= rank)))
    throw Error(Status::Invalid, "port '" + port.name + "': rank or batch axis out of range");
  return port;
}

template <class T, class One>
Json list_to_json(const std::vector<T>& items, One one) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(one(item));
  return list;
}

template <class T, class One>
std::vector<T> list_from_json(const Json& json, One one) {
  std::vector<T> items;
  for (const Json& item : json) items.push_back(one(item));
  return items;
}

/// Members that JSON carries as they are, each named once.
template <class InfoType, class Visit>
void each_plain(InfoType& info, Visit visit) {
  visit("engine", info.engine);
  visit("engine_choice", info.engine_choice);
  visit("engine_version", info.engine_version);
  visit("library", info.library);
  visit("library_hash", info.library_hash);
  visit("model_path", info.model_path);
  visit("model_hash", info.model_hash);
  visit("effective", info.effective);
  visit("proof", info.proof);
  visit("load_phases_ns", info.load_phases_ns);
  visit("dynamic_batch", info.dynamic_batch);
  visit("synthetic", info.synthetic);
  visit("from_artifact", info.from_artifact);
  visit("notes", info.notes);
}

template <class StatusType, class Visit>
void each_plain_of_status(StatusType& status, Visit visit) {
  visit("name", status.name);
  visit("available", status.available);
  visit("version", status.version);
  visit("library", status.library);
  visit("library_hash", status.library_hash);
  visit("reason", status.reason);
  visit("devices", status.devices);
  visit("formats", status.formats);
}

/// Runs `read`, turning the JSON library's complaints into ours.
template <class Read>
auto guarded(const char* what, Read read) {
  try {
    return read();
  } catch (const nlohmann::json::exception& bad) {
    throw Error(Status::Invalid, std::string(what) + ": " + bad.what());
  }
}

}  // namespace

Json to_json(const Info& info) {
  Json json = Json::object();
  each_plain(info, [&](const char* key, const auto& value) { json[key] = value; });
  json["inputs"] = list_to_json(info.inputs, port_to_json);
  json["outputs"] = list_to_json(info.outputs, port_to_json);
  json["requested"] = inferometer::to_json(info.requested);
  return json;
}

Info info_from_json(const Json& json) {
  return guarded("info", [&] {
    Info info;
    each_plain(info, [&](const char* key, auto& value) { json.at(key).get_to(value); });
    info.inputs = list_from_json<Port>(json.at("inputs"), port_from_json);
    info.outputs = list_from_json<Port>(json.at("outputs"), port_from_json);
    info.requested = params_from_json(json.at("requested"));
    return info;
  });
}

Json to_json(const EngineStatus& status) {
  Json json = Json::object();
  each_plain_of_status(status, [&](const char* key, const auto& value) { json[key] = value; });
  json["params"] =
      list_to_json(status.params, [](const ParamSpec& spec) { return inferometer::to_json(spec); });
  return json;
}

EngineStatus engine_status_from_json(const Json& json) {
  return guarded("engine status", [&] {
    EngineStatus status;
    each_plain_of_status(status, [&](const char* key, auto& value) { json.at(key).get_to(value); });
    status.params = list_from_json<ParamSpec>(
        json.at("params"), [](const Json& spec) { return param_spec_from_json(spec); });
    return status;
  });
}

std::int64_t count_in_force(const Info& info, const std::string& param) {
  std::int64_t count = 0;
  if (const auto found = info.effective.find(param); found != info.effective.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), count);
  if (const auto found = info.requested.find(param); count < 1 && found != info.requested.end())
    if (const auto* number = std::get_if<std::int64_t>(&found->second.base())) count = *number;
  return std::max<std::int64_t>(count, 1);
}

}  // namespace inferometer::process
