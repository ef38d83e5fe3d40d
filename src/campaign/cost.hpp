// SPDX-License-Identifier: Apache-2.0
// What a cell will cost, before it is measured: seconds and memory, from the roofline, the
// machine's profile and what the journal already knows. Internal to this folder.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "campaign/journal.hpp"
#include "campaign/lab.hpp"
#include "campaign/machine_profile.hpp"

namespace inferometer::campaign {

/// What a journal tells of one (model, engine, params).
struct Observation {
  measure::Cell cell;  ///< workload left empty
  std::optional<double> batch_s, load_s, peak_bytes;
};

/// Of every contender, in order of first appearance; the time of a batch is the median over all
/// blocks, the others are of the last launch.
std::vector<Observation> observations_of(const Journal& journal);

/// Predictions for cells of `models`, which must outlive the model.
class CostModel {
 public:
  CostModel(const std::map<std::string, ModelFacts>& models, const MachineProfile* profile);

  /// What is known from now on.
  void know(std::vector<Observation> known) { known_ = std::move(known); }

  /// Seconds of one batch. The nearest knowledge counts: the cell's own time; else alpha + beta x
  /// rows through its times at other batch sizes; else its model on this engine with other params;
  /// else the engine's speed on other models; else the profile's; else a share of the peak.
  double batch_s(const measure::Cell& cell) const;
  /// Seconds from a fresh process to a loaded model.
  double load_s(const measure::Cell& cell) const;
  /// Seconds of `rows` rows on the reference engine.
  double golden_s(const measure::Cell& cell, std::int64_t rows) const;
  /// Resident bytes at the peak: m0 + m1 x rows through what is known; else from weights and
  /// activations.
  double peak_bytes(const measure::Cell& cell) const;
  /// What it can't do without: weights once and its inputs and outputs (engines fuse, so that
  /// activations are no bound), or the peak that it was seen to have.
  double least_bytes(const measure::Cell& cell) const;

 private:
  using Member = std::optional<double> Observation::*;
  using Same = bool (*)(const measure::Cell&, const measure::Cell&);
  using Points = std::vector<std::pair<double, double>>;

  double rows_of(const measure::Cell& cell) const;
  Points points_of(const measure::Cell& cell, Member figure, Same same) const;
  std::optional<double> known_at(const measure::Cell& cell, Member figure, double base) const;
  std::optional<double> known_peak(const measure::Cell& cell, Same same) const;
  double flops(const measure::Cell& cell) const;
  /// FLOP/s of one thread.
  std::optional<double> speed_of_engine(const std::string& engine) const;
  double guessed_speed(const measure::Cell& cell) const;

  const std::map<std::string, ModelFacts>& models_;
  const MachineProfile* profile_;
  std::vector<Observation> known_;
};

/// y = base + slope x.
struct RisingLine {
  double base = 0, slope = 0;
  double at(double x) const noexcept { return base + slope * x; }
};
/// By least squares, neither base nor slope negative: time and memory only grow with the batch.
/// None for fewer than two different x.
std::optional<RisingLine> rising_line(const std::vector<std::pair<double, double>>& points);

}  // namespace inferometer::campaign
