// SPDX-License-Identifier: Apache-2.0
// The tables of a report, made once and written by every writer for people.
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace inferometer::report {

enum class Tone { Plain, Muted, Good, Bad, Code };
enum class Align { Left, Right };

struct TableCell {
  std::string text;
  Tone tone = Tone::Plain;
};

struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<Align> align;
  std::vector<std::vector<TableCell>> rows;
  std::vector<std::string> notes;  ///< sentences below it
};

/// Tables that have rows: comparison, latency, rate, load, memory, energy, parity, failures.
std::vector<Table> result_tables(const Document& document);
/// What concerns the whole: warnings, environment, rerun lines.
Table warning_table(const Document& document);
Table environment_table(const Document& document);
/// Which cells get a line: on a terminal a line for everything would push the results off it.
enum class Rerun { All, Failed };
Table rerun_table(const Document& document, Rerun which);

/// What tells cells apart in this document: machine, model and batch only where they vary.
class Naming {
 public:
  explicit Naming(const Document& document);
  std::vector<std::string> columns() const;
  std::vector<TableCell> cells(const measure::Outcome& outcome) const;
  std::string words(const measure::Outcome& outcome) const;  ///< in one line
  /// The engine's label, for charts: with the machine where machines vary.
  std::string series(const measure::Outcome& outcome) const;
  std::string constant() const;  ///< "resnet50.onnx, batch 1": what all have in common

 private:
  bool machines_vary_ = false, models_vary_ = false, batches_vary_ = false;
  std::string machine_, model_, batch_;
};
std::string machine_name(const measure::Outcome& outcome);  ///< the first of its machine_id
std::string model_name(const measure::Outcome& outcome);
std::string batch_text(const measure::Outcome& outcome);

}  // namespace inferometer::report
