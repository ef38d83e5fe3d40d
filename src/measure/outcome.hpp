// SPDX-License-Identifier: Apache-2.0
// "What to run" and "what happened", as plain data. Every quantity is declared once, in fields.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/object_spec.hpp"
#include "inferometer/error.hpp"
#include "inferometer/params.hpp"

namespace inferometer::measure {

/// A quantity: its key in JSON, CSV and the journal (the unit is its suffix), how people read it,
/// and what it means.
struct Field {
  std::string_view key;    ///< "throughput_samples_per_s"
  std::string_view title;  ///< "samples/s"
  std::string_view help;   ///< one sentence: definition and method
};
std::span<const Field> fields();
/// Aborts for a key that isn't declared: a bug.
const Field& field(std::string_view key);

/// One (model, engine, params, workload) to be measured.
struct Cell {
  std::string model;  ///< path as given
  std::string engine;
  std::string label;     ///< what tells this cell from its neighbours, for people
  Params params;         ///< as asked for, batch_size included
  std::string workload;  ///< one of campaign::workloads(), or "parity"
};

/// A measurement, or a failure with status, stage and reason: failures are data.
struct Outcome {
  std::string cell_id;  ///< hash of model, plugin and library, requested params, workload, shapes
  Cell cell;
  Status status = Status::Ok;
  std::string stage;  ///< of a failure: "probe", "load", "parity", "predict", "measure"
  std::string reason;
  std::vector<std::string> warnings;
  Json values = Json::object();  ///< Field key -> number, text or list; null with "<key>_why"
                                 ///< beside it when it can't be given
  std::string rerun;             ///< the command line that repeats this one cell
};

Json to_json(const Outcome& outcome);
/// The keys of an outcome as JSON.
extern const ObjectSpec kOutcomeSpec;
/// Throws Error{Invalid} for a key that is no Field, or a reason without its null quantity.
void check_values(const Json& json);
/// Bounded. Throws Error{Invalid} naming the key.
Outcome outcome_from_json(const Json& json);

/// Records that a quantity can't be given: null, with `why` beside it.
void set_missing(Outcome& outcome, std::string_view key, std::string_view why);

}  // namespace inferometer::measure
