// SPDX-License-Identifier: Apache-2.0
// What a journal holds, declared once: the reader checks lines with these tables, and
// docs/journal.md and `inferometer journal schema` are made from them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/object_spec.hpp"

namespace inferometer::campaign {

/// Changes with every change of the tables: a journal is read by the version that its header names.
inline constexpr std::string_view kJournalSchema = "inferometer.journal/2";
/// Bounds of the reader: journals come from strangers.
inline constexpr std::size_t kMaxLineBytes = 16u << 20;
inline constexpr std::size_t kMaxJournalBytes = std::size_t{1} << 30;
/// Bound of the writer: a round line of a control and three cells, throughput and latency apart,
/// stays below kMaxLineBytes however many digits its timings have.
inline constexpr std::int64_t kMaxBlockBatches = 100'000;

/// Kinds of lines; the name is the value of the key `line`, the help says when one is written.
std::span<const ObjectSpec> journal_lines();
/// Objects within them.
std::span<const ObjectSpec> journal_objects();

/// The kind of a line. Throws Error{Invalid} listing the kinds.
const ObjectSpec& line_spec(std::string_view kind);

/// {"schema", the bounds, "lines", "objects": specs, "quantities": the keys that `values` may
/// have}.
Json schema_json();

}  // namespace inferometer::campaign
