// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inferometer/engines.hpp"

namespace inferometer::cli {

/// Every available engine that is worth comparing: not reference, which is the golden, nor null,
/// which computes nothing.
std::vector<std::string> usual_engines(const std::vector<EngineStatus>& engines);

/// The engines that `--engines` names, or the usual ones. Throws UsageError for an empty
/// element, Error{Invalid} for an unknown name, Error{Unavailable} when there is none.
std::vector<std::string> chosen_engines(const std::string& list,
                                        const std::vector<EngineStatus>& engines);

}  // namespace inferometer::cli
