// SPDX-License-Identifier: Apache-2.0
// The plugin's side of the wall: C table <-> C++ classes. One copy lives in every plugin, so its
// statics are the plugin's own.
#include <fmt/format.h>

#include <cstring>
#include <new>

#include "base/cpu.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "inferometer/engine_plugin.hpp"

namespace inferometer::plugin {
namespace {

const inferometer_host* g_host = nullptr;
Engine* g_engine = nullptr;

void put_text(inferometer_error* error, const char* text) noexcept {
  if (error == nullptr || error->text == nullptr || error->capacity == 0) return;
  const std::size_t length = whole_characters(text, error->capacity - 1);
  std::memcpy(error->text, text, length);
  error->text[length] = '\0';
}

template <class Body>
std::int32_t guard(Status fallback, inferometer_error* error, Body&& body) noexcept {
  const MxcsrScope keep;  // ONNX Runtime leaves flush-to-zero set on the thread that calls it
  try {
    body();
    return INFEROMETER_OK;
  } catch (const Error& e) {
    put_text(error, e.what());
    return static_cast<std::int32_t>(e.code());
  } catch (const std::bad_alloc&) {
    put_text(error, "out of memory");
    return INFEROMETER_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    put_text(error, e.what());
  } catch (...) {
    put_text(error, "an exception that is no std::exception");
  }
  return static_cast<std::int32_t>(fallback);
}

void answer(const inferometer_sink& sink, const std::string& text) {
  sink.write(sink.user, text.data(), text.size());
}

std::string collect(auto&& call) {
  std::string text;
  inferometer_sink sink = {&text, [](void* user, const char* piece, std::size_t size) {
                             static_cast<std::string*>(user)->append(piece, size);
                           }};
  return call(sink) != 0 ? text : std::string();
}

std::optional<std::filesystem::path> optional_path(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return std::filesystem::path(text);
}

LoadRequest read_request(const inferometer_load_request& raw) {
  LoadRequest request{.artifacts = Artifacts(g_host, raw.cache)};
  if (raw.path != nullptr) request.path = raw.path;
  request.bytes = {static_cast<const std::byte*>(raw.bytes), raw.bytes_size};
  for (std::size_t i = 0; i < raw.external_count; ++i) {
    const inferometer_buffer& buffer = raw.external[i];
    request.external.emplace(buffer.name,
                             std::span(static_cast<const std::byte*>(buffer.data), buffer.size));
  }
  const Json settings = parse_json(raw.settings, "load settings");
  request.params = params_from_json(settings.at("params"));
  request.dims = settings.value("dims", std::map<std::string, std::int64_t>{});
  request.input_shapes = settings.value("input_shapes", std::vector<std::vector<std::int64_t>>{});
  request.dynamic_batch = settings.value("dynamic_batch", false);
  return request;
}

Json to_json(const std::vector<PortInfo>& ports) {
  Json list = Json::array();
  for (const PortInfo& port : ports) {
    list.push_back({{"name", port.name}, {"dtype", to_string(port.dtype)}, {"shape", port.shape}});
  }
  return list;
}

Json to_json(const ModelInfo& info) {
  return {{"inputs", to_json(info.inputs)},      {"outputs", to_json(info.outputs)},
          {"effective", info.effective},         {"proof", info.proof},
          {"phases_ns", info.phases_ns},         {"dynamic_batch", info.dynamic_batch},
          {"from_artifact", info.from_artifact}, {"notes", info.notes}};
}

std::int32_t probe(const char* settings, inferometer_sink sink, inferometer_error* error) {
  return guard(Status::Unavailable, error, [&] {
    const Json asked = parse_json(settings, "probe settings");
    const Probe probe = g_engine->probe(asked.value("library", std::string()));
    answer(sink, Json({{"version", probe.version},
                       {"library", probe.library.string()},
                       {"devices", probe.devices},
                       {"synthetic", probe.synthetic},
                       {"formats", probe.formats}})
                     .dump());
  });
}

std::int32_t describe_params(inferometer_sink sink, inferometer_error* error) {
  return guard(Status::Unavailable, error, [&] {
    Json list = Json::array();
    for (const ParamSpec& spec : g_engine->params()) list.push_back(inferometer::to_json(spec));
    answer(sink, list.dump());
  });
}

std::int32_t accepts(const inferometer_load_request* request, inferometer_sink sink,
                     inferometer_error* error) {
  return guard(Status::Invalid, error, [&] {
    const auto refusals = g_engine->accepts(read_request(*request));
    if (!refusals) throw Error(Status::Unsupported, "only loading can tell");
    Json list = Json::array();
    for (const Refusal& refusal : *refusals) {
      list.push_back({{"node", refusal.node}, {"op", refusal.op}, {"reason", refusal.reason}});
    }
    answer(sink, list.dump());
  });
}

std::int32_t load(const inferometer_load_request* request, void** model, inferometer_sink sink,
                  inferometer_error* error) {
  return guard(Status::LoadFailed, error, [&] {
    std::unique_ptr<LoadedModel> loaded = g_engine->load(read_request(*request));
    answer(sink, to_json(loaded->info()).dump());
    *model = loaded.release();
  });
}

std::int32_t open(void* model, void** context, inferometer_error* error) {
  return guard(Status::LoadFailed, error,
               [&] { *context = static_cast<LoadedModel*>(model)->open().release(); });
}

std::int32_t bind(void* context, const DLTensor* inputs, std::size_t input_count, DLTensor* outputs,
                  std::size_t output_count, inferometer_error* error) {
  return guard(Status::PredictFailed, error, [&] {
    static_cast<Context*>(context)->bind({inputs, input_count}, {outputs, output_count});
  });
}

std::int32_t run(void* context, inferometer_error* error) {
  return guard(Status::PredictFailed, error, [&] { static_cast<Context*>(context)->run(); });
}

std::int32_t profile(void* context, inferometer_sink sink, inferometer_error* error) {
  return guard(Status::PredictFailed, error, [&] {
    Json list = Json::array();
    for (const ProfileRow& row : static_cast<Context*>(context)->profile()) {
      list.push_back({{"node", row.node},
                      {"kernel", row.kernel},
                      {"precision", row.precision},
                      {"ns", row.ns}});
    }
    answer(sink, list.dump());
  });
}

std::int32_t explain(void* model, inferometer_sink sink, inferometer_error* error) {
  return guard(Status::PredictFailed, error,
               [&] { answer(sink, static_cast<LoadedModel*>(model)->explain()); });
}

struct DTypeRow {
  DType dtype;
  std::uint8_t code;
  std::uint8_t bits;
};
constexpr DTypeRow kDTypes[] = {{DType::F32, kDLFloat, 32},
                                {DType::F64, kDLFloat, 64},
                                {DType::F16, kDLFloat, 16},
                                {DType::BF16, kDLBfloat, 16},
                                {DType::I8, kDLInt, 8},
                                {DType::I16, kDLInt, 16},
                                {DType::I32, kDLInt, 32},
                                {DType::I64, kDLInt, 64},
                                {DType::U8, kDLUInt, 8},
                                {DType::U16, kDLUInt, 16},
                                {DType::U32, kDLUInt, 32},
                                {DType::U64, kDLUInt, 64},
                                {DType::Bool, INFEROMETER_DL_BOOL, 8}};

}  // namespace

std::optional<std::filesystem::path> Artifacts::find(std::string_view kind) const {
  if (!on()) return std::nullopt;
  const std::string name(kind);
  return optional_path(collect(
      [&](inferometer_sink sink) { return host_->artifact_find(cache_, name.c_str(), sink); }));
}

std::optional<std::filesystem::path> Artifacts::create(std::string_view kind) const {
  if (!on()) return std::nullopt;
  const std::string name(kind);
  return optional_path(collect(
      [&](inferometer_sink sink) { return host_->artifact_create(cache_, name.c_str(), sink); }));
}

std::optional<std::filesystem::path> Artifacts::commit(std::string_view kind,
                                                       const std::filesystem::path& temporary,
                                                       bool keep) const {
  const std::string name(kind);
  return optional_path(collect([&](inferometer_sink sink) {
    return host_->artifact_commit(cache_, name.c_str(), temporary.c_str(), keep ? 1 : 0, sink);
  }));
}

bool LoadRequest::flag(const std::string& name) const {
  return std::get<bool>(params.at(name));
}
std::int64_t LoadRequest::integer(const std::string& name) const {
  return std::get<std::int64_t>(params.at(name));
}
double LoadRequest::real(const std::string& name) const {
  return std::get<double>(params.at(name));
}
const std::string& LoadRequest::text(const std::string& name) const {
  return std::get<std::string>(params.at(name));
}

void log(int level, const std::string& text) {
  if (g_host != nullptr && g_host->log != nullptr) g_host->log(level, text.c_str());
}

const inferometer_engine* make_table(const inferometer_host* host, const char* name,
                                     Engine& engine) noexcept {
  if (host == nullptr || host->abi != INFEROMETER_ABI) return nullptr;
  g_host = host;
  g_engine = &engine;
  static const inferometer_engine table = {
      .size = sizeof(inferometer_engine),
      .abi = INFEROMETER_ABI,
      .name = name,
      .probe = probe,
      .describe_params = describe_params,
      .accepts = accepts,
      .load = load,
      .open = open,
      .bind = bind,
      .run = run,
      .start = nullptr,
      .profile = profile,
      .explain = explain,
      .allocate = nullptr,
      .release = nullptr,
      .close = [](void* context) { delete static_cast<Context*>(context); },
      .unload = [](void* model) { delete static_cast<LoadedModel*>(model); },
  };
  return &table;
}

DType dtype_of(const DLTensor& tensor) {
  for (const DTypeRow& row : kDTypes) {
    if (row.code == tensor.dtype.code && row.bits == tensor.dtype.bits && tensor.dtype.lanes == 1)
      return row.dtype;
  }
  throw Error(Status::Invalid,
              fmt::format("DLPack dtype (code {}, {} bits, {} lanes) is not carried",
                          tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes));
}

DLDataType to_dlpack(DType dtype) noexcept {
  const DTypeRow& row = kDTypes[static_cast<std::size_t>(dtype)];
  return {row.code, row.bits, 1};
}

Shape shape_of(const DLTensor& tensor) {
  return Shape(std::span(tensor.shape, static_cast<std::size_t>(tensor.ndim)));
}

std::size_t size_bytes(const DLTensor& tensor) {
  return View(tensor.data, dtype_of(tensor), shape_of(tensor)).size_bytes();
}

}  // namespace inferometer::plugin
