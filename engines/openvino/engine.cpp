// SPDX-License-Identifier: Apache-2.0
// OpenVINO on the CPU: one compiled model, one infer request a context, the caller's memory in and
// out.
#include "inferometer/engine_plugin.hpp"
#include "library.hpp"
#include "model.hpp"
#include "options.hpp"
#include "refusals.hpp"

namespace inferometer::openvino {
namespace {

class OvEngine : public plugin::Engine {
 public:
  plugin::Probe probe(const std::filesystem::path& chosen) override {
    const Library& opened = library(chosen);
    return {.version = opened.version,
            .library = opened.path,
            .devices = {"cpu"},
            .formats = {".onnx", ".xml"}};
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
}  // namespace inferometer::openvino

INFEROMETER_EXPORT_ENGINE(inferometer::openvino::OvEngine, "openvino")
