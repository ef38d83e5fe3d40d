// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime's shared library: its C API, its one environment, and errors in our words.
#pragma once

#include <onnxruntime_c_api.h>

#include <filesystem>
#include <memory>
#include <string>

#include "inferometer/error.hpp"

namespace inferometer::onnxruntime {

/// One library file, opened once and kept for the life of the process.
struct Library {
  std::filesystem::path path;
  std::string version;
  const OrtApi* api = nullptr;
  OrtEnv* env =
      nullptr;  // one per process and library; leaked, since nothing can outlive it safely

  /// Throws what `status` says (and frees it); `fallback` is the code where ONNX Runtime's own says
  /// little.
  void check(OrtStatus* status, Status fallback) const;
};

/// The library that the locator finds (`chosen`: param "library", may be empty). Telemetry is off
/// before it is opened. Throws Error{Unavailable}.
const Library& library(const std::filesystem::path& chosen);

/// An object of ONNX Runtime that knows how it is released.
template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

/// make(&pointer) -> OrtStatus*; the object is freed with `release`.
template <class T, class Make>
Owned<T> own(const Library& library, void (*release)(T*), Make&& make) {
  T* object = nullptr;
  library.check(make(&object), Status::LoadFailed);
  return Owned<T>(object, release);
}

}  // namespace inferometer::onnxruntime
