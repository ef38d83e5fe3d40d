// SPDX-License-Identifier: Apache-2.0
#include "cli/verdict.hpp"

#include <algorithm>

namespace inferometer::cli {
namespace {

bool failed(const measure::Outcome& outcome) {
  return outcome.status != Status::Ok;
}

void judge(Reply& reply, Interrupted interrupted, Status status, int exit) {
  reply.status = interrupted == Interrupted::Yes ? Status::Skipped : status;
  reply.exit = interrupted == Interrupted::Yes ? exit_code(Status::Skipped) : exit;
}

Status first_failure(std::span<const measure::Outcome> outcomes) {
  const auto found = std::ranges::find_if(outcomes, failed);
  return found == outcomes.end() ? Status::Ok : found->status;
}

}  // namespace

void judge_check(Reply& reply, std::span<const measure::Outcome> outcomes,
                 Interrupted interrupted) {
  const bool wrong =
      std::ranges::find(outcomes, Status::Mismatch, &measure::Outcome::status) != outcomes.end();
  const Status status = wrong ? Status::Mismatch : first_failure(outcomes);
  judge(reply, interrupted, status, wrong ? kExitCheckFailed : exit_code(status));
}

void judge_run(Reply& reply, std::span<const measure::Outcome> outcomes, Interrupted interrupted) {
  const Status status = first_failure(outcomes);
  judge(reply, interrupted, status, exit_code(status));
}

void judge_bench(Reply& reply, std::span<const measure::Outcome> outcomes,
                 Interrupted interrupted) {
  const Status status = first_failure(outcomes);
  judge(reply, interrupted, status, status == Status::Ok ? kExitOk : kExitCheckFailed);
}

}  // namespace inferometer::cli
