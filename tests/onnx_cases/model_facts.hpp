// SPDX-License-Identifier: Apache-2.0
// What a case's model is about, read from the bare protobuf: also for models that our importer
// refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace inferometer::onnx_cases {

struct PortFacts {
  std::string name;
  std::int64_t element = 0;  ///< ONNX's number of the tensor's element type; 0: not a tensor
};

struct ModelFacts {
  std::vector<PortFacts> inputs;  ///< without those that are also initialisers
  std::vector<PortFacts> outputs;
  std::set<std::string> operators;  ///< of subgraphs too; "domain.Name" outside the default domain
  bool subgraphs = false;
  bool other_domain = false;
};

/// Throws Error{Invalid} for what isn't protobuf.
ModelFacts read_facts(std::span<const std::byte> model);

/// What a case is about. Float: inference on f32, i64, i32 and bool tensors.
enum class CaseClass {
  Float,
  Integer,
  OtherDtype,
  Loss,
  Random,
  Subgraph,
  OtherDomain,
  Sequence,
  String
};
std::string_view to_string(CaseClass kind) noexcept;
CaseClass class_of(const std::string& case_name, const ModelFacts& facts);

/// Every port has a dtype of ours.
bool has_our_dtypes(const ModelFacts& facts);

/// Every operator is one of the first sixty by which the importer is judged.
bool within_first_operators(const ModelFacts& facts);

/// The inputs of i32 or i64, which engines may want as constants (axes, shapes, repeats); empty
/// when no other input would be left.
std::vector<std::size_t> freezable(const ModelFacts& facts);

/// The model with some of its inputs made initialisers; all else is copied byte by byte. `values`
/// has an entry for every input in `frozen`.
std::string freeze(std::span<const std::byte> model, const ModelFacts& facts,
                   std::span<const std::size_t> frozen, std::span<const graph::Constant> values);

}  // namespace inferometer::onnx_cases
