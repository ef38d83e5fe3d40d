// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime on the CPU: one session a model, one run a context, the caller's memory in and out.
#include "inferometer/engine_plugin.hpp"
#include "library.hpp"
#include "model.hpp"
#include "options.hpp"
#include "refusals.hpp"

namespace inferometer::onnxruntime {
namespace {

class OrtEngine : public plugin::Engine {
 public:
  plugin::Probe probe(const std::filesystem::path& chosen) override {
    const Library& opened = library(chosen);
    return {.version = opened.version,
            .library = opened.path,
            .devices = {"cpu"},
            .formats = {".onnx", ".ort"}};
  }
  std::vector<ParamSpec> params() const override { return own_params(); }
  std::optional<std::vector<plugin::Refusal>> accepts(const plugin::LoadRequest& request) override {
    return refusals(library(request.text("library")), request);
  }
  std::unique_ptr<plugin::LoadedModel> load(const plugin::LoadRequest& request) override {
    return load_model(library(request.text("library")), request);
  }
};

}  // namespace
}  // namespace inferometer::onnxruntime

INFEROMETER_EXPORT_ENGINE(inferometer::onnxruntime::OrtEngine, "onnxruntime")
