// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

#include "options.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace inferometer::onnxruntime {
namespace {

namespace fs = std::filesystem;

struct DTypeRow {
  DType dtype;
  ONNXTensorElementDataType type;
};
constexpr DTypeRow kDTypes[] = {
    {DType::F32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {DType::F64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DType::F16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DType::BF16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
    {DType::I8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    {DType::I16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
    {DType::I32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    {DType::I64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
    {DType::U8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DType::U16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16},
    {DType::U32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32},
    {DType::U64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64},
    {DType::Bool, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
};

// Threads take the name of the thread that starts them. A name of its own while a session is made
// therefore tells the session's threads from those that others start at the same time.
class NameNewThreads {
 public:
  NameNewThreads() {
    static std::atomic<unsigned> count{0};
    name_ = fmt::format("ort-{:x}", count.fetch_add(1));
    ::prctl(PR_GET_NAME, before_.data());
    ::prctl(PR_SET_NAME, name_.c_str());
  }
  ~NameNewThreads() { ::prctl(PR_SET_NAME, before_.data()); }
  NameNewThreads(const NameNewThreads&) = delete;
  NameNewThreads& operator=(const NameNewThreads&) = delete;

  // Those alive now, the caller not counted.
  int count() const {
    int found = 0;
    std::error_code error;
    for (const auto& task : fs::directory_iterator("/proc/self/task", error)) {
      std::string name;
      std::ifstream file(task.path() / "comm");
      if (std::getline(file, name) && name == name_) ++found;
    }
    return found - 1;
  }

 private:
  std::string name_;
  std::array<char, 16> before_{};
};

bool flushes_denormals() {
#if defined(__x86_64__)
  constexpr unsigned kFlushToZeroAndDenormalsAreZero = 0x8040;
  return (_mm_getcsr() & kFlushToZeroAndDenormalsAreZero) == kFlushToZeroAndDenormalsAreZero;
#else
  return false;
#endif
}

Owned<OrtSession> create(const Library& library, const plugin::LoadRequest& request,
                         const OrtSessionOptions* options) {
  return own<OrtSession>(library, library.api->ReleaseSession, [&](auto** out) {
    if (!request.path.empty()) {
      return library.api->CreateSession(library.env, request.path.c_str(), options, out);
    }
    return library.api->CreateSessionFromArray(library.env, request.bytes.data(),
                                               request.bytes.size(), options, out);
  });
}

Owned<OrtSession> create_from(const Library& library, const plugin::LoadRequest& request,
                              const fs::path& artifact, const fs::path& profile) {
  const auto options = session_options(library, request, Source::Artifact, profile);
  return own<OrtSession>(library, library.api->ReleaseSession, [&](auto** out) {
    return library.api->CreateSession(library.env, artifact.c_str(), options.get(), out);
  });
}

// The session itself is the one that saves, so a cold load compiles once.
Owned<OrtSession> create_and_keep(const Library& library, const plugin::LoadRequest& request,
                                  const fs::path& artifact, const fs::path& profile) {
  const auto options = session_options(library, request, Source::Model, profile);
  library.check(
      library.api->AddSessionConfigEntry(options.get(), "session.save_model_format", "ORT"),
      Status::LoadFailed);
  library.check(library.api->SetOptimizedModelFilePath(options.get(), artifact.c_str()),
                Status::LoadFailed);
  return create(library, request, options.get());
}

std::optional<MadeSession> from_artifact(const Library& library, const plugin::LoadRequest& request,
                                         const fs::path& profile) {
  const auto artifact = request.artifacts.find("compiled");
  if (!artifact) return std::nullopt;
  try {
    return MadeSession{.session = create_from(library, request, *artifact, profile),
                       .from_artifact = true};
  } catch (const Error& error) {
    plugin::log(2, fmt::format("onnxruntime: artifact {} left aside: {}", artifact->string(),
                               error.what()));
    return std::nullopt;
  }
}

MadeSession compile(const Library& library, const plugin::LoadRequest& request,
                    const fs::path& profile) {
  MadeSession made{.session = {nullptr, library.api->ReleaseSession}};
  if (request.artifacts.on()) {
    try {
      request.artifacts.store("compiled", [&](const fs::path& path) {
        made.session = create_and_keep(library, request, path, profile);
      });
    } catch (const Error& error) {
      made.notes.push_back(std::string("the compiled model could not be kept: ") + error.what());
    }
  }
  if (!made.session) {
    made.session =
        create(library, request, session_options(library, request, Source::Model, profile).get());
  }
  return made;
}

using Owner = Owned<OrtTypeInfo>;
using GetCount = OrtStatus* (*)(const OrtSession*, size_t*);
using GetName = OrtStatus* (*)(const OrtSession*, size_t, OrtAllocator*, char**);
using GetType = OrtStatus* (*)(const OrtSession*, size_t, OrtTypeInfo**);

std::string name_of(const Library& library, OrtSession* session, GetName get, std::size_t index) {
  OrtAllocator* allocator = nullptr;
  library.check(library.api->GetAllocatorWithDefaultOptions(&allocator), Status::LoadFailed);
  char* text = nullptr;
  library.check(get(session, index, allocator, &text), Status::LoadFailed);
  const std::string name = text;
  library.check(library.api->AllocatorFree(allocator, text), Status::LoadFailed);
  return name;
}

plugin::PortInfo port_of(const Library& library, const std::string& name, const OrtTypeInfo* info) {
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  library.check(library.api->CastTypeInfoToTensorInfo(info, &tensor), Status::LoadFailed);
  if (tensor == nullptr) {
    throw Error(
        Status::Unsupported,
        fmt::format("port \"{}\" is no tensor; sequences, maps and optionals aren't carried",
                    name));
  }
  ONNXTensorElementDataType type{};
  std::size_t rank = 0;
  library.check(library.api->GetTensorElementType(tensor, &type), Status::LoadFailed);
  library.check(library.api->GetDimensionsCount(tensor, &rank), Status::LoadFailed);
  plugin::PortInfo port{.name = name, .dtype = dtype_of(type, name)};
  port.shape.resize(rank);
  library.check(library.api->GetDimensions(tensor, port.shape.data(), rank), Status::LoadFailed);
  return port;
}

std::vector<plugin::PortInfo> ports(const Library& library, OrtSession* session, GetCount count,
                                    GetName name, GetType type) {
  std::size_t size = 0;
  library.check(count(session, &size), Status::LoadFailed);
  std::vector<plugin::PortInfo> list;
  for (std::size_t i = 0; i < size; ++i) {
    const auto info = own<OrtTypeInfo>(library, library.api->ReleaseTypeInfo,
                                       [&](auto** out) { return type(session, i, out); });
    list.push_back(port_of(library, name_of(library, session, name, i), info.get()));
  }
  return list;
}

}  // namespace

MadeSession make_session(const Library& library, const plugin::LoadRequest& request,
                         const fs::path& profile) {
  const NameNewThreads named;
  const auto begin = std::chrono::steady_clock::now();
  auto reused = from_artifact(library, request, profile);
  MadeSession made = reused ? std::move(*reused) : compile(library, request, profile);
  const auto end = std::chrono::steady_clock::now();
  made.phases_ns[made.from_artifact ? "read" : "compile"] =
      std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count();
  made.new_threads = named.count();
  made.flushes_denormals = flushes_denormals();
  return made;
}

std::vector<plugin::PortInfo> input_ports(const Library& library, OrtSession* session) {
  const OrtApi& api = *library.api;
  return ports(library, session, api.SessionGetInputCount, api.SessionGetInputName,
               api.SessionGetInputTypeInfo);
}

std::vector<plugin::PortInfo> output_ports(const Library& library, OrtSession* session) {
  const OrtApi& api = *library.api;
  return ports(library, session, api.SessionGetOutputCount, api.SessionGetOutputName,
               api.SessionGetOutputTypeInfo);
}

ONNXTensorElementDataType element_type_of(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)].type;
}

DType dtype_of(ONNXTensorElementDataType type, const std::string& port) {
  for (const DTypeRow& row : kDTypes) {
    if (row.type == type) return row.dtype;
  }
  throw Error(Status::Unsupported,
              fmt::format("port \"{}\" has ONNX Runtime's element type {}, which isn't carried",
                          port, static_cast<int>(type)));
}

}  // namespace inferometer::onnxruntime
