// SPDX-License-Identifier: Apache-2.0
// The reference engine: a plain interpreter of our graph that accumulates in double. It is the
// golden that other engines are compared with, so being right and repeatable comes before speed.
#include "common/import.hpp"
#include "graph/passes.hpp"
#include "inferometer/engine_plugin.hpp"
#include "model.hpp"

namespace inferometer::reference {
namespace {

class ReferenceEngine : public plugin::Engine {
 public:
  plugin::Probe probe(const std::filesystem::path& library) override {
    plugin::refuse_library("reference", library);
    return {.version = "1", .library = {}, .devices = {"cpu"}, .formats = {".onnx"}};
  }

  std::optional<std::vector<plugin::Refusal>> accepts(const plugin::LoadRequest& request) override {
    auto model = plugin::import_model(request);
    graph::fold_constants(model.graph);
    graph::remove_dead(model.graph);
    return refusals(model.graph);
  }

  std::unique_ptr<plugin::LoadedModel> load(const plugin::LoadRequest& request) override {
    return load_model(request);
  }
};

}  // namespace
}  // namespace inferometer::reference

INFEROMETER_EXPORT_ENGINE(inferometer::reference::ReferenceEngine, "reference")
