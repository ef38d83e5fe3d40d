// SPDX-License-Identifier: Apache-2.0
// Params in, OpenVINO's properties out, and their effective values read back.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::openvino {

/// The engine's own params.
std::vector<ParamSpec> own_params();

/// OpenVINO's key -> value for this load, everything that OpenVINO would choose by itself included.
/// Throws Error{Unsupported} or Error{Invalid} for unified params that can't be honoured.
class Properties {
 public:
  explicit Properties(const plugin::LoadRequest& request);
  /// For the C API; valid while this object lives.
  const std::vector<ov_property_t>& raw() const noexcept { return raw_; }
  const std::string& value(const std::string& key) const;

 private:
  std::map<std::string, std::string> values_;
  std::vector<ov_property_t> raw_;
};

/// Reads back what is in force. Throws Error{Unsupported} when OpenVINO quietly took another value
/// than the one asked for (it does for precision, threads and streams).
void read_back(const Library& library, const ov_compiled_model_t* compiled,
               const Properties& wanted, plugin::ModelInfo& info);

/// One property of a compiled model as text.
std::string property(const Library& library, const ov_compiled_model_t* compiled,
                     const std::string& key);

}  // namespace inferometer::openvino
