// SPDX-License-Identifier: Apache-2.0
// Making a session, from the artifact cache when it can be, and proving what was asked of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::onnxruntime {

/// A session and what making it showed.
struct MadeSession {
  Owned<OrtSession> session;
  bool from_artifact = false;
  int new_threads = 0;             ///< that the session started
  bool flushes_denormals = false;  ///< by the mode that it left on the thread that made it
  std::map<std::string, std::int64_t> phases_ns;
  std::vector<std::string> notes;
};

/// `profile`: as session_options takes it.
MadeSession make_session(const Library& library, const plugin::LoadRequest& request,
                         const std::filesystem::path& profile);

/// Ports in the model's order. Throws Error{Unsupported} for what is no tensor of ours.
std::vector<plugin::PortInfo> input_ports(const Library& library, OrtSession* session);
std::vector<plugin::PortInfo> output_ports(const Library& library, OrtSession* session);

ONNXTensorElementDataType element_type_of(DType dtype);
DType dtype_of(ONNXTensorElementDataType type, const std::string& port);

}  // namespace inferometer::onnxruntime
