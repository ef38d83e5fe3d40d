// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime's profile: a file of trace events, whole only once profiling has ended.
#pragma once

#include <filesystem>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "inferometer/engine_plugin.hpp"
#include "library.hpp"

namespace inferometer::onnxruntime {

/// One row a node in order of execution, the median over the last ten runs of the trace. Throws
/// Error{PredictFailed} for text that is no such trace.
std::vector<plugin::ProfileRow> rows_of_trace(std::string_view trace);

/// Where one session's profile goes, and what it held. Thread-safe.
class Profiler {
 public:
  std::filesystem::path prefix() const { return folder_.path() / "profile"; }
  /// The first call ends profiling: runs after it are not in the rows.
  std::vector<plugin::ProfileRow> rows(const Library& library, OrtSession* session);

 private:
  ScratchFolder folder_{"inferometer-onnxruntime"};
  std::mutex mutex_;
  bool ended_ = false;
  std::vector<plugin::ProfileRow> rows_;
};

}  // namespace inferometer::onnxruntime
