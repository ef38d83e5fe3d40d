// SPDX-License-Identifier: Apache-2.0
// Which engines take a model, as far as can be told without loading it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/model_file.hpp"
#include "core/wall.hpp"
#include "inferometer/engines.hpp"

namespace inferometer::cli {

struct Acceptance {
  enum class Answer { Takes, Refuses, OnlyLoadingTells, Unavailable };
  std::string engine;
  Answer answer = Answer::Takes;
  std::string reason;  ///< why not, or why it can't be told; empty when it takes it
  std::vector<core::Refusal> refusals;  ///< nodes that it can't take
};
/// "takes", "refuses", "only loading tells", "unavailable".
std::string_view to_string(Acceptance::Answer answer);

/// Asks every available engine in this process. Never throws for an engine that fails to answer.
std::vector<Acceptance> ask_engines(const std::vector<EngineStatus>& engines,
                                    const std::filesystem::path& model,
                                    const core::ModelFile& file);

}  // namespace inferometer::cli
