// SPDX-License-Identifier: Apache-2.0
#include "campaign/cost.hpp"

#include <algorithm>
#include <cmath>

#include "campaign/session.hpp"
#include "measure/statistics.hpp"

namespace inferometer::campaign {
namespace {

constexpr double kCallS = 50e-6;               // of a batch without any work
constexpr double kShareOfPeak = 0.5;           // an engine that nothing is known of
constexpr double kSpeedWithoutPeak = 5e10;     // FLOP/s of a thread, an ordinary core's
constexpr double kReferenceSpeed = 3e10;       // FLOP/s of a thread, accumulating in double
constexpr double kProcessS = 0.1;              // to start a worker and open a library
constexpr double kLoadPerParameterS = 10e-9;   // read, optimised, packed
constexpr double kProfileParameters = 25.6e6;  // of the network that profiles load
constexpr double kEngineBytes = 60e6;
constexpr double kWeightCopies = 2, kActivationCopies = 1.5;  // seen: 1 to 3, and 1 to 2

bool same_but_batch(const measure::Cell& a, const measure::Cell& b) {
  auto x = a.params, y = b.params;
  x.erase("batch_size");
  y.erase("batch_size");
  return a.model == b.model && a.engine == b.engine && x == y;
}

bool same_model(const measure::Cell& a, const measure::Cell& b) {
  return a.model == b.model && a.engine == b.engine;
}

// At `rows`, by the nearest that is the same: itself, a line, or in proportion where one point is
// all there is.
std::optional<double> from_points(const std::vector<std::pair<double, double>>& points, double rows,
                                  double base) {
  for (const auto& [x, y] : points)
    if (x == rows) return y;
  if (const auto line = rising_line(points)) return line->at(rows);
  if (points.empty()) return std::nullopt;
  const auto [x, y] = points.front();
  const double fixed = std::min(base, y);
  return fixed + (y - fixed) * rows / x;
}

std::int64_t threads_of(const measure::Cell& cell, const MachineProfile* profile) {
  std::int64_t all = 1;
  if (profile)
    for (const auto& peak : profile->compute) all = std::max(all, peak.threads);
  return integer_param(cell.params, "threads", all);
}

// Of the ports that have rows; symbols count 1.
double row_bytes(const std::vector<Port>& ports) {
  double bytes = 0;
  for (const auto& port : ports) {
    if (!port.batch_axis) continue;
    double row = static_cast<double>(size_bytes(port.dtype));
    for (std::size_t axis = 0; axis < port.shape.size(); ++axis)
      if (axis != static_cast<std::size_t>(*port.batch_axis))
        row *= static_cast<double>(std::max<std::int64_t>(1, port.shape[axis].size));
    bytes += row;
  }
  return bytes;
}

double square(double x) {
  return x * x;
}

}  // namespace

std::optional<RisingLine> rising_line(const std::vector<std::pair<double, double>>& points) {
  if (points.empty()) return std::nullopt;
  const auto count = static_cast<double>(points.size());
  double mean_x = 0, mean_y = 0;
  for (const auto& [x, y] : points) mean_x += x / count, mean_y += y / count;
  double together = 0, alone = 0, through_origin = 0, squares = 0;
  for (const auto& [x, y] : points) {
    together += (x - mean_x) * (y - mean_y);
    alone += square(x - mean_x);
    through_origin += x * y;
    squares += square(x);
  }
  if (alone == 0) return std::nullopt;
  const double slope = std::max(0.0, together / alone);
  const double base = mean_y - slope * mean_x;
  if (base >= 0) return RisingLine{base, slope};
  return RisingLine{0, through_origin / squares};
}

CostModel::CostModel(const std::map<std::string, ModelFacts>& models, const MachineProfile* profile)
    : models_(models), profile_(profile) {}

double CostModel::rows_of(const measure::Cell& cell) const {
  const auto facts = models_.find(cell.model);
  const auto rows =
      batch_rows(cell.params, facts == models_.end() ? std::vector<Port>{} : facts->second.inputs);
  return static_cast<double>(rows);
}

// (rows, figure) of what is the same.
CostModel::Points CostModel::points_of(const measure::Cell& cell, Member figure, Same same) const {
  Points points;
  for (const auto& each : known_)
    if (each.*figure && same(each.cell, cell))
      points.emplace_back(rows_of(each.cell), *(each.*figure));
  return points;
}

std::optional<double> CostModel::known_at(const measure::Cell& cell, Member figure,
                                          double base) const {
  for (const auto same : {same_but_batch, same_model})
    if (const auto found = from_points(points_of(cell, figure, same), rows_of(cell), base))
      return found;
  return std::nullopt;
}

double CostModel::flops(const measure::Cell& cell) const {
  return 2 * static_cast<double>(models_.at(cell.model).macs.value_or(0)) * rows_of(cell);
}

std::optional<double> CostModel::speed_of_engine(const std::string& engine) const {
  std::vector<double> speeds;
  for (const auto& each : known_)
    if (each.cell.engine == engine && each.batch_s.value_or(0) > 0 &&
        models_.contains(each.cell.model) && flops(each.cell) > 0)
      speeds.push_back(flops(each.cell) / *each.batch_s /
                       static_cast<double>(threads_of(each.cell, profile_)));
  if (!speeds.empty()) return measure::median(speeds);
  const auto* facts = profile_ ? facts_of(*profile_, engine) : nullptr;
  if (facts && facts->flops_per_s > 0)
    return facts->flops_per_s / static_cast<double>(threads_of({}, profile_));
  return std::nullopt;
}

double CostModel::guessed_speed(const measure::Cell& cell) const {
  const auto threads = threads_of(cell, profile_);
  if (profile_)
    for (const auto& peak : profile_->compute)
      if (peak.dtype == DType::F32 && peak.threads == threads && peak.flops_per_s > 0)
        return kShareOfPeak * peak.flops_per_s;
  return kSpeedWithoutPeak * static_cast<double>(threads);
}

double CostModel::batch_s(const measure::Cell& cell) const {
  if (const auto known = known_at(cell, &Observation::batch_s, kCallS)) return *known;
  const auto speed = speed_of_engine(cell.engine);
  if (!speed) return kCallS + flops(cell) / guessed_speed(cell);
  return kCallS + flops(cell) / (*speed * static_cast<double>(threads_of(cell, profile_)));
}

double CostModel::load_s(const measure::Cell& cell) const {
  // It hardly depends on the batch, and not at all on most params.
  for (const auto same : {same_but_batch, same_model})
    if (const auto loads = points_of(cell, &Observation::load_s, same); !loads.empty())
      return loads.back().second + kProcessS;
  const auto parameters = static_cast<double>(models_.at(cell.model).parameters.value_or(0));
  const auto* facts = profile_ ? facts_of(*profile_, cell.engine) : nullptr;
  if (facts && facts->load_s > 0)
    return kProcessS + facts->load_s * std::max(0.3, parameters / kProfileParameters);
  return 3 * kProcessS + kLoadPerParameterS * parameters;
}

double CostModel::golden_s(const measure::Cell& cell, std::int64_t rows) const {
  const double all = flops(cell) / rows_of(cell) * static_cast<double>(rows);
  return all / (kReferenceSpeed * static_cast<double>(threads_of(cell, profile_)));
}

double CostModel::least_bytes(const measure::Cell& cell) const {
  const auto& facts = models_.at(cell.model);
  const auto least = 4 * static_cast<double>(facts.parameters.value_or(0)) +
                     (row_bytes(facts.inputs) + row_bytes(facts.outputs)) * rows_of(cell);
  for (const auto& [rows, peak] : points_of(cell, &Observation::peak_bytes, same_but_batch))
    if (rows == rows_of(cell)) return std::max(least, peak);
  return least;
}

// A line; or, where one point says nothing of what a row costs, its activations.
std::optional<double> CostModel::known_peak(const measure::Cell& cell, Same same) const {
  const auto points = points_of(cell, &Observation::peak_bytes, same);
  const auto rows = rows_of(cell);
  for (const auto& [x, y] : points)
    if (x == rows) return y;
  if (const auto line = rising_line(points)) return line->at(rows);
  if (points.empty()) return std::nullopt;
  const auto row = static_cast<double>(models_.at(cell.model).activation_bytes.value_or(0));
  return points.front().second + kActivationCopies * row * (rows - points.front().first);
}

double CostModel::peak_bytes(const measure::Cell& cell) const {
  for (const auto same : {same_but_batch, same_model})
    if (const auto known = known_peak(cell, same)) return std::max(*known, least_bytes(cell));
  const auto& facts = models_.at(cell.model);
  return kEngineBytes + kWeightCopies * 4 * static_cast<double>(facts.parameters.value_or(0)) +
         kActivationCopies * static_cast<double>(facts.activation_bytes.value_or(0)) *
             rows_of(cell);
}

}  // namespace inferometer::campaign
