// SPDX-License-Identifier: Apache-2.0
#include "measure/parity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "inferometer/error.hpp"
#include "measure/elements.hpp"
#include "measure/outcome.hpp"
#include "measure/statistics.hpp"

namespace inferometer::measure {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr std::array<std::pair<std::string_view, double>, 5> kGates = {
    {{"fp32", 1e-4}, {"tf32", 1e-3}, {"fp16", 1e-2}, {"bf16", 3e-2}, {"int8", 1e-1}}};

// Two outputs read side by side as doubles.
struct Pair {
  const View& golden;
  const View& y;
  ElementReader read_golden = element_reader(golden.dtype);
  ElementReader read_y = element_reader(y.dtype);
  std::size_t count = static_cast<std::size_t>(golden.shape.elements());

  double g(std::size_t i) const { return read_golden(golden.data, i); }
  double v(std::size_t i) const { return read_y(y.data, i); }
};

void check_comparable(const View& golden, const View& y) {
  const bool types = golden.dtype == y.dtype || (is_floating(golden.dtype) && is_floating(y.dtype));
  if (types && golden.shape == y.shape) return;
  throw Error(Status::Mismatch,
              fmt::format("output is {} {}, the golden one {} {}", to_string(y.dtype),
                          to_string(y.shape), to_string(golden.dtype), to_string(golden.shape)));
}

double ratio(double error, double size) {
  if (size > 0) return error / size;
  return error > 0 ? kInfinite : 0;
}

struct Sums {
  double error = 0, golden = 0, y = 0, product = 0;  // of squares
  double max_error = 0, max_golden = 0;
};

// True when the element can enter the sums; else it has been counted.
bool is_countable(ParityFigures& figures, double g, double v) {
  if (std::isfinite(g) && std::isfinite(v)) return true;
  if (std::isfinite(g))
    ++(std::isnan(v) ? figures.nan : figures.inf);
  else if (!(std::isnan(g) && std::isnan(v)) && g != v)
    ++figures.wrong;
  return false;
}

Sums sum_up(ParityFigures& figures, const Pair& pair) {
  Sums sums;
  for (std::size_t i = 0; i < pair.count; ++i) {
    const double g = pair.g(i), v = pair.v(i);
    if (!is_countable(figures, g, v)) continue;
    sums.error += (v - g) * (v - g);
    sums.golden += g * g;
    sums.y += v * v;
    sums.product += g * v;
    sums.max_error = std::max(sums.max_error, std::abs(v - g));
    sums.max_golden = std::max(sums.max_golden, std::abs(g));
  }
  return sums;
}

double least_tolerance(const Pair& pair, double max_golden) {
  double least = 0;
  for (std::size_t i = 0; i < pair.count; ++i) {
    const double g = pair.g(i), v = pair.v(i);
    if (std::isfinite(g) && std::isfinite(v))
      least = std::max(least, ratio(std::abs(v - g), max_golden + std::abs(g)));
  }
  return least;
}

struct Row {
  double best = -kInfinite, second = -kInfinite, best_y = -kInfinite, error = 0;
  std::size_t best_at = 0, best_y_at = 0;
};

void look_at(Row& row, std::size_t i, double g, double v) {
  if (g > row.best)
    row.second = row.best, row.best = g, row.best_at = i;
  else
    row.second = std::max(row.second, g);
  if (v > row.best_y) row.best_y = v, row.best_y_at = i;
  row.error = std::max(row.error, std::abs(v - g));
}

std::vector<Row> rows_of(const Pair& pair, std::optional<int> batch_axis) {
  std::size_t rows = 1, inner = pair.count;
  if (batch_axis && static_cast<std::size_t>(*batch_axis) < pair.golden.shape.rank()) {
    const auto axis = static_cast<std::size_t>(*batch_axis);
    rows = static_cast<std::size_t>(pair.golden.shape[axis]);
    inner = 1;
    for (std::size_t i = axis + 1; i < pair.golden.shape.rank(); ++i)
      inner *= static_cast<std::size_t>(pair.golden.shape[i]);
  }
  std::vector<Row> found(rows);
  for (std::size_t i = 0; i < pair.count; ++i)
    look_at(found[i / inner % rows], i, pair.g(i), pair.v(i));
  return found;
}

// A margin is wide when it exceeds twice the typical row's largest error. (A row's own error would
// make the agreement true by construction.)
void set_top1(ParityFigures& figures, const Pair& pair, std::optional<int> batch_axis) {
  const auto rows = rows_of(pair, batch_axis);
  if (rows.empty() || pair.count <= rows.size()) return;
  std::vector<double> errors;
  for (const auto& row : rows) errors.push_back(row.error);
  const double typical = quantile(errors, 0.5);
  std::int64_t agreed = 0;
  for (const auto& row : rows) {
    if (!(row.best - row.second > 2 * typical)) continue;
    ++figures.top1_rows;
    agreed += row.best_at == row.best_y_at;
  }
  if (figures.top1_rows > 0)
    figures.top1_agreement = static_cast<double>(agreed) / static_cast<double>(figures.top1_rows);
}

// Below the smallest normal number engines may flush to zero: both sides are lifted to it.
double log_p(double p, DType dtype) {
  const double least = dtype == DType::F16 ? 0x1p-14 : FLT_MIN;
  return std::log(std::max(p, least));
}

// Where a distribution lies in memory: its classes are `inner` elements apart.
struct Classes {
  std::size_t count = 1, inner = 1;
};

Classes classes_of(const Shape& shape, const Softmax& softmax) {
  Classes classes;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const auto size = static_cast<std::size_t>(shape[i]);
    if (static_cast<int>(i) >= softmax.last)
      classes.inner *= size;
    else if (static_cast<int>(i) >= softmax.first)
      classes.count *= size;
  }
  return classes;
}

// Relative to the golden log p about its mean, which is what the logits say. The error is not
// centred: a factor on all of a distribution is none of its logits', but it is wrong.
double log_p_rel_l2(const Pair& pair, const Classes& classes) {
  double error = 0, size = 0;
  std::vector<double> g(classes.count), v(classes.count);
  const auto distributions = pair.count / classes.count;
  for (std::size_t k = 0; k < distributions; ++k) {
    const auto start = k / classes.inner * classes.inner * classes.count + k % classes.inner;
    for (std::size_t i = 0; i < classes.count; ++i) {
      g[i] = log_p(pair.g(start + i * classes.inner), pair.golden.dtype);
      v[i] = log_p(pair.v(start + i * classes.inner), pair.y.dtype);
    }
    const double g_mean = mean(g);
    for (std::size_t i = 0; i < classes.count; ++i) {
      error += (v[i] - g[i]) * (v[i] - g[i]);
      size += (g[i] - g_mean) * (g[i] - g_mean);
    }
  }
  return ratio(std::sqrt(error), std::sqrt(size));
}

ParityFigures compare_exactly(const Pair& pair) {
  ParityFigures figures;
  figures.exact = true;
  const auto width = size_bytes(pair.golden.dtype);
  const auto* golden = static_cast<const std::byte*>(pair.golden.data);
  const auto* y = static_cast<const std::byte*>(pair.y.data);
  // By bytes: 64-bit integers don't fit a double.
  for (std::size_t i = 0; i < pair.count; ++i)
    figures.wrong += !std::equal(golden + i * width, golden + (i + 1) * width, y + i * width);
  return figures;
}

bool is_broken(const ParityFigures& figures) {
  return figures.nan > 0 || figures.inf > 0 || figures.wrong > 0;
}

void put(Json& json, const char* key, double value) {
  json[std::string(field(key).key)] = std::isfinite(value) ? Json(value) : Json(nullptr);
  if (!std::isfinite(value))
    json[std::string(key) + "_why"] =
        "infinite: the output is not finite, "
        "or the golden one is all zero";
}

}  // namespace

ParityFigures compare_outputs(const View& golden, const View& y, std::optional<int> batch_axis,
                              std::optional<Softmax> softmax) {
  check_comparable(golden, y);
  const Pair pair{golden, y};
  if (!is_floating(golden.dtype)) return compare_exactly(pair);
  ParityFigures figures;
  const auto sums = sum_up(figures, pair);
  figures.rel_l2 = ratio(std::sqrt(sums.error), std::sqrt(sums.golden));
  figures.max_abs_ratio = ratio(sums.max_error, sums.max_golden);
  const double lengths = std::sqrt(sums.golden) * std::sqrt(sums.y);
  figures.cosine = lengths > 0 ? sums.product / lengths : sums.golden == sums.y ? 1 : 0;
  figures.least_tolerance = least_tolerance(pair, sums.max_golden);
  if (is_broken(figures)) {
    figures.rel_l2 = figures.max_abs_ratio = figures.least_tolerance = kInfinite;
    return figures;
  }
  set_top1(figures, pair, batch_axis);
  if (softmax)
    if (const auto classes = classes_of(golden.shape, *softmax); classes.count > 1)
      figures.log_p_rel_l2 = log_p_rel_l2(pair, classes);
  return figures;
}

double gate_of(std::string_view precision) {
  for (const auto& [word, gate] : kGates)
    if (word == precision) return gate;
  throw Error(
      Status::Invalid,
      fmt::format("precision '{}' has no gate: expected fp32, tf32, fp16, bf16 or int8", precision),
      {{"precision", std::string(precision)}});
}

double gated_error(const ParityFigures& figures) noexcept {
  return figures.log_p_rel_l2.value_or(figures.rel_l2);
}

bool passes(const ParityFigures& figures, double gate) noexcept {
  return !is_broken(figures) && gated_error(figures) <= gate;
}

bool is_worse(const ParityFigures& figures, const ParityFigures& other) noexcept {
  if (is_broken(figures) != is_broken(other)) return is_broken(figures);
  return gated_error(figures) > gated_error(other);
}

Json to_json(const ParityFigures& figures) {
  Json json = {
      {"parity_nan", figures.nan}, {"parity_inf", figures.inf}, {"parity_wrong", figures.wrong}};
  if (figures.exact) return json;
  put(json, "parity_rel_l2", figures.rel_l2);
  put(json, "parity_max_abs_ratio", figures.max_abs_ratio);
  put(json, "parity_cosine", figures.cosine);
  put(json, "parity_least_tolerance", figures.least_tolerance);
  if (figures.log_p_rel_l2) put(json, "parity_log_p_rel_l2", *figures.log_p_rel_l2);
  if (figures.top1_agreement) put(json, "parity_top1_agreement", *figures.top1_agreement);
  json["parity_top1_rows"] = figures.top1_rows;
  return json;
}

}  // namespace inferometer::measure
