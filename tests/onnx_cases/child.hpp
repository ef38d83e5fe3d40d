// SPDX-License-Identifier: Apache-2.0
// Cases in another process: one that dies or hangs costs that case only.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "case.hpp"
#include "process/child.hpp"

namespace inferometer::onnx_cases {

struct ChildOptions {
  std::string engine;
  std::filesystem::path scratch;   ///< a file that no other child has
  std::chrono::seconds limit{30};  ///< for one case
  bool show_output = false;        ///< what the engine prints
};

/// One case at a time, always in the same process until that one ends; then in a new one.
class CaseChild {
 public:
  explicit CaseChild(ChildOptions options) : options_(std::move(options)) {}

  /// Crashed or Timeout for a case that took the process with it.
  Outcome run(const Case& which, bool frozen);

 private:
  void start();
  std::optional<std::string> answer(Outcome& failure);

  ChildOptions options_;
  std::optional<process::Child> child_;
  process::UniqueFd socket_;
};

/// The child's side: answers until the parent closes its end.
int serve_cases(const std::string& engine, const std::filesystem::path& scratch);

}  // namespace inferometer::onnx_cases
