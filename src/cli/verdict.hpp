// SPDX-License-Identifier: Apache-2.0
// From outcomes to the status and exit code of the whole.
#pragma once

#include <span>

#include "cli/console.hpp"
#include "measure/outcome.hpp"

namespace inferometer::cli {

enum class Interrupted { No, Yes };

/// check: a mismatch is a failed check (1); another failure has its own code.
void judge_check(Reply& reply, std::span<const measure::Outcome> outcomes, Interrupted interrupted);
/// run: the first failure's own code.
void judge_run(Reply& reply, std::span<const measure::Outcome> outcomes, Interrupted interrupted);
/// bench: any failed cell is a failed comparison (1).
void judge_bench(Reply& reply, std::span<const measure::Outcome> outcomes, Interrupted interrupted);

}  // namespace inferometer::cli
