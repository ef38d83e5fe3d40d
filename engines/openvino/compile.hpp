// SPDX-License-Identifier: Apache-2.0
// From a model file, or from the artifact cache, to a compiled model.
#pragma once

#include <memory>

#include "base/file.hpp"
#include "inferometer/engine_plugin.hpp"
#include "library.hpp"
#include "options.hpp"

namespace inferometer::openvino {

/// A compiled model and its core. A core each: properties that an import obeys are set on the core,
/// and one model's must not reach another's.
struct Compiled {
  std::unique_ptr<MappedFile> artifact;  // an imported model reads its weights from these pages
  Owned<ov_core_t> core;
  Owned<ov_compiled_model_t> model;
};

/// Fills phases, notes, from_artifact and the effective params of `info`.
Compiled compile(const Library& library, const plugin::LoadRequest& request,
                 plugin::ModelInfo& info);

}  // namespace inferometer::openvino
