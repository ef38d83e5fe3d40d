// SPDX-License-Identifier: Apache-2.0
// What the host itself reads of a model file before any engine sees it.
#pragma once

#include <filesystem>
#include <optional>

#include "graph/passes.hpp"

namespace inferometer::core {

/// Ports, symbols and batch axis of an ONNX file; nullopt for other formats, and for ONNX that our
/// reader doesn't take
/// (`why` says why) though an engine may. Throws Error{Invalid} for a malformed or missing file.
struct ModelFile {
  std::optional<graph::Signature> signature;
  std::string why;
};
ModelFile read_model_file(const std::filesystem::path& path);

}  // namespace inferometer::core
