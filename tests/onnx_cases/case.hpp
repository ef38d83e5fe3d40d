// SPDX-License-Identifier: Apache-2.0
// A case of ONNX's own tests: a folder with a model, inputs, and the outputs that it should give.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "inferometer/error.hpp"
#include "model_facts.hpp"

namespace inferometer::onnx_cases {

struct Case {
  std::string name;  ///< "test_abs" of node/, "simple/test_shrink" of the other folders
  std::filesystem::path folder;
  CaseClass kind = CaseClass::Float;
  bool first_operators = false;
  bool has_our_dtypes = false;
  bool freezable = false;
  std::set<std::string> operators;
};

/// Every DATA/<folder>/test_*/model.onnx, by name.
std::vector<Case> find_cases(const std::filesystem::path& data);

/// How a run ended: Ok, Mismatch, or the status of the error.
struct Outcome {
  Status status = Status::Ok;
  std::string text;
};

/// Runs every data set of a case in this process, on one thread. `frozen`: with integer inputs as
/// constants; the rewritten model goes to `scratch`. Never throws.
Outcome run_case(const std::string& engine, const std::filesystem::path& folder, bool frozen,
                 const std::filesystem::path& scratch);

}  // namespace inferometer::onnx_cases
