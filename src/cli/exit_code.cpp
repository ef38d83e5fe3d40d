// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.hpp"

#include <algorithm>
#include <cstdlib>

namespace inferometer::cli {
namespace {

constexpr ExitRow kRows[] = {
    {kExitOk, "ok", "Done, and every answer was right."},
    {kExitCheckFailed, "failed", "A check or comparison failed; the data says which and why."},
    {kExitUsage, "usage", "The command line makes no sense."},
    {3, "unavailable", "The engine or device can't be had here; the text says where we looked."},
    {4, "unsupported", "Understood, but this engine or build can't do it."},
    {5, "invalid", "A file, param or tensor is wrong; the text names the value."},
    {6, "load_failed", "The engine refused a model that looked right to us."},
    {7, "predict_failed", "The engine failed while computing."},
    {8, "mismatch", "The output of a measured cell is wrong by the parity gate."},
    {9, "timeout", "A limit of time was reached."},
    {10, "out_of_memory", "A limit of memory was reached."},
    {11, "crashed", "A worker process died; the text gives signal or exit code."},
    {12, "skipped", "Interrupted or out of budget; what was measured is kept."},
    {kExitInternal, "internal", "A bug of ours."},
};

}  // namespace

std::span<const ExitRow> exit_rows() {
  return kRows;
}

int exit_code(Status status) {
  const auto row = std::ranges::find(kRows, to_string(status), &ExitRow::word);
  return row == std::end(kRows) ? kExitInternal : row->code;
}

}  // namespace inferometer::cli
