// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/json.hpp"
#include "options.hpp"
#include "profile.hpp"
#include "session.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace inferometer::onnxruntime {
namespace {

// Pool threads get the mode from ONNX Runtime; the calling thread computes too and has the host's.
// The guard around every call puts the host's mode back.
void flush_denormals_here() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040u);
#endif
}

std::vector<const char*> names_of(const std::vector<plugin::PortInfo>& ports) {
  std::vector<const char*> names;
  for (const plugin::PortInfo& port : ports) names.push_back(port.name.c_str());
  return names;
}

class OrtModel;

class OrtContext : public plugin::Context {
 public:
  explicit OrtContext(const OrtModel& model);
  ~OrtContext() override { release_all(); }
  OrtContext(const OrtContext&) = delete;
  OrtContext& operator=(const OrtContext&) = delete;

  void bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) override;
  void run() override;
  std::vector<plugin::ProfileRow> profile() override;

 private:
  OrtValue* wrap(const DLTensor& tensor, const plugin::PortInfo& port) const;
  void release(OrtValue*& value) const;
  void release_all();
  void publish(std::size_t index);
  void copy_passed();

  const OrtModel& model_;
  Owned<OrtMemoryInfo> memory_;
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  std::vector<OrtValue*> inputs_;
  std::vector<OrtValue*> outputs_;
  std::span<DLTensor> output_tensors_;
  std::vector<std::size_t> engine_outputs_;  // those that ONNX Runtime allocates
  struct Passed {
    std::size_t input, output;
  };
  std::vector<Passed> passed_;  // outputs of the graph that are inputs of it
};

class OrtModel : public plugin::LoadedModel {
 public:
  OrtModel(const Library& library, const plugin::LoadRequest& request)
      : library_(library), session_(nullptr, library.api->ReleaseSession) {
    require_honourable(request);
    if (request.flag("profiling")) profiler_ = std::make_unique<Profiler>();
    MadeSession made =
        make_session(library, request, profiler_ ? profiler_->prefix() : std::filesystem::path());
    session_ = std::move(made.session);
    info_.inputs = input_ports(library, session_.get());
    info_.outputs = output_ports(library, session_.get());
    info_.dynamic_batch = request.dynamic_batch;
    info_.from_artifact = made.from_artifact;
    info_.phases_ns = made.phases_ns;
    info_.notes = made.notes;
    flush_denormals_ = request.text("denormals") == "zero";
    prove(request, made);
  }

  plugin::ModelInfo info() const override { return info_; }
  std::unique_ptr<plugin::Context> open() override { return std::make_unique<OrtContext>(*this); }

  std::string explain() const override {
    return Json({{"build", library_.api->GetBuildInfoString()},
                 {"provider", "CPUExecutionProvider"},
                 {"effective", info_.effective},
                 {"proof", info_.proof}})
        .dump();
  }

  const Library& library() const noexcept { return library_; }
  OrtSession* session() const noexcept { return session_.get(); }
  const std::vector<plugin::PortInfo>& inputs() const noexcept { return info_.inputs; }
  const std::vector<plugin::PortInfo>& outputs() const noexcept { return info_.outputs; }
  bool flush_denormals() const noexcept { return flush_denormals_; }
  std::vector<plugin::ProfileRow> profile() const {
    if (!profiler_) return {};
    return profiler_->rows(library_, session_.get());
  }

 private:
  void state(const std::string& param, const std::string& value, const std::string& proof) {
    info_.effective[param] = value;
    info_.proof[param] = proof;
  }

  void prove(const plugin::LoadRequest& request, const MadeSession& made) {
    const auto streams = request.integer("streams");
    const auto threads = made.new_threads + streams;
    if (threads != request.integer("threads")) {
      throw Error(Status::Unsupported,
                  fmt::format("{} threads were asked for, its pool started {} beside "
                              "the {} that call it",
                              request.integer("threads"), made.new_threads, streams),
                  {{"param", "threads"}});
    }
    state("threads", std::to_string(threads),
          fmt::format("{} pool threads counted in /proc/self/task + {} calling", made.new_threads,
                      streams));
    state("streams", std::to_string(streams),
          "contexts of one session, each on its caller's thread");
    state("precision", "fp32",
          "the CPU provider lowers nothing: f32 in the file is computed as f32, other dtypes as "
          "they are");
    const std::string set = "set by us; ONNX Runtime has no reader for it";
    state("graph_optimization", request.text("graph_optimization"), set);
    state("spinning", request.flag("spinning") ? "true" : "false", set);
    state("memory_arena", request.flag("memory_arena") ? "true" : "false", set);
    state("profiling", profiler_ ? "true" : "false", set);
    prove_denormals(made);
  }

  void prove_denormals(const MadeSession& made) {
    if (flush_denormals_ && !made.flushes_denormals) {
      throw Error(Status::Unsupported,
                  "denormals=zero did not take: the first session of a process "
                  "decides; use isolation=process",
                  {{"param", "denormals"}});
    }
    state("denormals", flush_denormals_ ? "zero" : "keep",
          "the mode (MXCSR) of the thread that made the session");
  }

  const Library& library_;
  std::unique_ptr<Profiler> profiler_;  ///< outlives the session, which writes into its folder
  Owned<OrtSession> session_;
  plugin::ModelInfo info_;
  bool flush_denormals_ = false;
};

OrtContext::OrtContext(const OrtModel& model)
    : model_(model),
      memory_(own<OrtMemoryInfo>(model.library(), model.library().api->ReleaseMemoryInfo,
                                 [&](auto** out) {
                                   return model.library().api->CreateCpuMemoryInfo(
                                       OrtDeviceAllocator, OrtMemTypeDefault, out);
                                 })),
      input_names_(names_of(model.inputs())),
      output_names_(names_of(model.outputs())),
      inputs_(input_names_.size(), nullptr),
      outputs_(output_names_.size(), nullptr) {
  for (std::size_t out = 0; out < output_names_.size(); ++out)
    for (std::size_t in = 0; in < input_names_.size(); ++in)
      if (model.outputs()[out].name == model.inputs()[in].name) passed_.push_back({in, out});
}

std::vector<plugin::ProfileRow> OrtContext::profile() {
  return model_.profile();
}

OrtValue* OrtContext::wrap(const DLTensor& tensor, const plugin::PortInfo& port) const {
  const DType dtype = plugin::dtype_of(tensor);
  if (dtype != port.dtype) {
    throw Error(Status::Invalid, fmt::format("port \"{}\" has dtype {}, {} was bound", port.name,
                                             to_string(port.dtype), to_string(dtype)));
  }
  OrtValue* value = nullptr;
  auto* bytes = static_cast<char*>(tensor.data) + tensor.byte_offset;
  model_.library().check(model_.library().api->CreateTensorWithDataAsOrtValue(
                             memory_.get(), bytes, plugin::size_bytes(tensor), tensor.shape,
                             static_cast<std::size_t>(tensor.ndim), element_type_of(dtype), &value),
                         Status::PredictFailed);
  return value;
}

void OrtContext::release(OrtValue*& value) const {
  if (value != nullptr) model_.library().api->ReleaseValue(value);
  value = nullptr;
}

void OrtContext::release_all() {
  for (OrtValue*& value : inputs_) release(value);
  for (OrtValue*& value : outputs_) release(value);
}

void OrtContext::bind(std::span<const DLTensor> inputs, std::span<DLTensor> outputs) {
  if (inputs.size() != inputs_.size() || outputs.size() != outputs_.size()) {
    throw Error(Status::Invalid,
                fmt::format("the model has {} inputs and {} outputs; {} and {} were bound",
                            inputs_.size(), outputs_.size(), inputs.size(), outputs.size()));
  }
  release_all();
  engine_outputs_.clear();
  output_tensors_ = outputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs_[i] = wrap(inputs[i], model_.inputs()[i]);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].data == nullptr) {
      engine_outputs_.push_back(i);
    } else {
      outputs_[i] = wrap(outputs[i], model_.outputs()[i]);
    }
  }
}

void OrtContext::publish(std::size_t index) {
  const Library& library = model_.library();
  const auto info = own<OrtTensorTypeAndShapeInfo>(
      library, library.api->ReleaseTensorTypeAndShapeInfo,
      [&](auto** out) { return library.api->GetTensorTypeAndShape(outputs_[index], out); });
  std::size_t rank = 0;
  library.check(library.api->GetDimensionsCount(info.get(), &rank), Status::PredictFailed);
  if (rank > INFEROMETER_MAX_RANK) {
    throw Error(Status::Unsupported,
                fmt::format("output \"{}\" has {} axes; at most {} are carried",
                            output_names_[index], rank, INFEROMETER_MAX_RANK));
  }
  DLTensor& tensor = output_tensors_[index];
  tensor.ndim = static_cast<int>(rank);
  tensor.byte_offset = 0;
  library.check(library.api->GetDimensions(info.get(), tensor.shape, rank), Status::PredictFailed);
  library.check(library.api->GetTensorMutableData(outputs_[index], &tensor.data),
                Status::PredictFailed);
}

// ONNX Runtime leaves the memory that was given for such an output as it is.
void OrtContext::copy_passed() {
  const Library& library = model_.library();
  for (const auto& [input, output] : passed_) {
    const DLTensor& to = output_tensors_[output];
    void* from = nullptr;
    library.check(library.api->GetTensorMutableData(inputs_[input], &from), Status::PredictFailed);
    char* target = static_cast<char*>(to.data) + to.byte_offset;
    if (from != target) std::memcpy(target, from, plugin::size_bytes(to));
  }
}

void OrtContext::run() {
  const Library& library = model_.library();
  for (const std::size_t index : engine_outputs_) release(outputs_[index]);
  if (model_.flush_denormals()) flush_denormals_here();
  library.check(
      library.api->Run(model_.session(), nullptr, input_names_.data(), inputs_.data(),
                       inputs_.size(), output_names_.data(), output_names_.size(), outputs_.data()),
      Status::PredictFailed);
  for (const std::size_t index : engine_outputs_) publish(index);
  copy_passed();
}

}  // namespace

std::unique_ptr<plugin::LoadedModel> load_model(const Library& library,
                                                const plugin::LoadRequest& request) {
  return std::make_unique<OrtModel>(library, request);
}

}  // namespace inferometer::onnxruntime
