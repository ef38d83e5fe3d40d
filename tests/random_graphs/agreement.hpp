// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "generator.hpp"
#include "inferometer/tensor.hpp"

namespace inferometer::random_graphs {

enum class Verdict { Agrees, Refused, Differs };

struct Judgement {
  Verdict verdict = Verdict::Agrees;
  std::string reason;  ///< why refused, or what differs
};

/// The graph on an engine against reference, on inputs that follow from the ports' names. The
/// engine may refuse at load (`unsupported`, `load_failed`); any other error is a difference. For
/// reference itself: rows one by one against all at once, bit for bit, and no output beyond its
/// bound.
Judgement judge(const std::string& engine, const RandomGraph& graph,
                const std::filesystem::path& file);

}  // namespace inferometer::random_graphs
