// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "compile.hpp"
#include "context.hpp"
#include "ports.hpp"

namespace inferometer::openvino {
namespace {

class OvModel : public plugin::LoadedModel {
 public:
  OvModel(const Library& library, const plugin::LoadRequest& request)
      : library_(library), compiled_(compile(library, request, info_)) {
    info_.inputs = input_ports(library, compiled_.model.get());
    info_.outputs = output_ports(library, compiled_.model.get());
    // Compiled for batches of one size: up to 9 % faster than for any size, and a ragged batch does
    // not compile its kernels anew in the middle of a measurement.
    info_.dynamic_batch = false;
    note_narrowing();
  }

  plugin::ModelInfo info() const override { return info_; }

  std::unique_ptr<plugin::Context> open() override {
    return std::make_unique<OvContext>(library_, compiled_.model.get(), info_);
  }

  // Every property that the compiled model can tell.
  std::string explain() const override {
    Json properties = Json::object();
    const std::string supported = property(library_, compiled_.model.get(), "SUPPORTED_PROPERTIES");
    for (std::size_t begin = 0; begin < supported.size();) {
      const std::size_t end = std::min(supported.find(' ', begin), supported.size());
      const std::string key = supported.substr(begin, end - begin);
      begin = end + 1;
      if (key.empty() || key == "SUPPORTED_PROPERTIES") continue;
      properties[key] = property(library_, compiled_.model.get(), key);
    }
    return Json({{"version", library_.version}, {"properties", properties}}).dump();
  }

 private:
  void note_narrowing() {
    const auto wide = [](const plugin::PortInfo& port) { return port.dtype == DType::F64; };
    if (std::ranges::any_of(info_.inputs, wide) || std::ranges::any_of(info_.outputs, wide)) {
      info_.notes.emplace_back("openvino's CPU device computes f64 in f32");
    }
  }

  const Library& library_;
  plugin::ModelInfo info_;
  Compiled compiled_;
};

}  // namespace

std::unique_ptr<plugin::LoadedModel> load_model(const Library& library,
                                                const plugin::LoadRequest& request) {
  return std::make_unique<OvModel>(library, request);
}

}  // namespace inferometer::openvino
