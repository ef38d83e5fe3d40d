// SPDX-License-Identifier: Apache-2.0
#include "campaign/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "campaign/cells.hpp"
#include "campaign/session.hpp"
#include "core/unified.hpp"
#include "measure/parity.hpp"
#include "measure/pool.hpp"

namespace inferometer::campaign {
namespace {

// One batch, and one more than two batches: whole, several and ragged.
std::vector<std::int64_t> rows_of(const CheckOptions& options, const Info& info) {
  if (!options.rows.empty()) return options.rows;
  const auto batch = batch_rows(info);
  return {batch, 2 * batch + 1};
}

std::vector<View> views_of(const std::vector<Tensor>& tensors) {
  return {tensors.begin(), tensors.end()};
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::ranges::equal(a, b, [](const Tensor& x, const Tensor& y) {
    return x.shape() == y.shape() && std::memcmp(x.data(), y.data(), x.view().size_bytes()) == 0;
  });
}

// The first row alone against the first row among its neighbours.
bool batch_invariant(const std::vector<Port>& ports, const std::vector<Tensor>& alone,
                     const std::vector<Tensor>& among, double gate) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (!ports[i].batch_axis) continue;
    const auto first = measure::take_rows(among[i], *ports[i].batch_axis, 0, 1);
    const auto one = measure::take_rows(alone[i], *ports[i].batch_axis, 0, 1);
    if (!measure::passes(measure::compare_outputs(one, first, ports[i].batch_axis), gate))
      return false;
  }
  return true;
}

class Checker {
 public:
  Checker(const CheckOptions& options, const ModelFacts& facts, Lab& lab)
      : options_(options), facts_(facts), lab_(lab) {}

  void check(measure::Outcome& outcome) {
    const auto worker = lab_.worker(outcome.cell);
    outcome.stage = "load";
    info_ = worker->load().info;
    outcome.values["engine_version"] = info_.engine_version;
    outcome.values["library"] = info_.library;
    outcome.values["effective_params"] = info_.effective;
    outcome.values["input_seed"] = options_.seed;
    outcome.stage = "parity";
    const auto rows = rows_of(options_, info_);
    worst_.reset();
    prepare_golden(outcome, *std::ranges::max_element(rows));
    for (const auto count : rows) compare(*worker, count, outcome);
    if (outcome.status == Status::Ok) outcome.stage.clear();
  }

 private:
  // One golden serves every engine, unless an engine needs more rows than it has.
  void prepare_golden(const measure::Outcome& outcome, std::int64_t rows) {
    if (golden_rows_ >= rows && golden_synthetic_ == info_.synthetic) return;
    golden_ = make_golden({outcome.cell, info_, facts_.hash, rows, options_.seed, &options_.expect,
                           options_.cache_dir},
                          lab_);
    golden_rows_ = rows;
    golden_synthetic_ = info_.synthetic;
  }

  void compare(CellWorker& worker, std::int64_t rows, measure::Outcome& outcome) {
    const auto precision = text_param(info_.requested, "precision", "fp32");
    const auto inputs = pool_batch(info_.inputs, golden_.inputs, rows, lab_);
    const auto outputs = worker.predict(views_of(inputs));
    auto parity = compare_with(golden_, info_.outputs, outputs, precision, facts_.softmaxes);
    keep_worst(parity, outcome);
    const auto again = worker.predict(views_of(inputs));
    const auto alone = worker.predict(views_of(pool_batch(info_.inputs, golden_.inputs, 1, lab_)));
    note(outcome, "parity_deterministic", same_bits(outputs, again));
    note(outcome, "parity_batch_invariant",
         batch_invariant(info_.outputs, alone, outputs, measure::gate_of(precision)));
    if (!outcome.values["parity_batch_invariant"].get<bool>())
      parity.failure += "a row's output depends on its neighbours; ";
    if (!parity.failure.empty()) {
      outcome.status = Status::Mismatch;
      outcome.reason += fmt::format("{} rows: {}", rows, parity.failure);
    }
  }

  static void note(measure::Outcome& outcome, const char* key, bool holds) {
    outcome.values[key] = holds && outcome.values.value(key, true);
  }

  void keep_worst(const Parity& parity, measure::Outcome& outcome) {
    if (!worst_ || !parity.figures || measure::is_worse(*parity.figures, *worst_)) {
      outcome.values.update(parity.values);
      worst_ = parity.figures;
    }
    outcome.warnings = parity.warnings;
  }

  const CheckOptions& options_;
  const ModelFacts& facts_;
  Lab& lab_;
  Info info_;
  std::optional<measure::ParityFigures> worst_;  ///< among the calls of this engine
  Golden golden_;
  std::int64_t golden_rows_ = 0;
  bool golden_synthetic_ = false;
};

measure::Outcome start_outcome(const CheckOptions& options, const std::string& engine,
                               const ModelFacts& facts, const std::vector<EngineStatus>& engines,
                               Lab& lab) {
  measure::Outcome outcome;
  const auto& status = engine_named(engines, engine);
  outcome.cell = {options.model, engine, engine, core::typed_params(options.params, status.params),
                  "parity"};
  outcome.cell_id = cell_id(outcome.cell, facts, status, lab.plugin_hash(engine));
  outcome.rerun = check_line(outcome.cell, options);
  if (!status.available) {
    outcome.status = Status::Unavailable;
    outcome.stage = "probe";
    outcome.reason = status.reason;
  }
  return outcome;
}

void check_one(Checker& checker, measure::Outcome& outcome) {
  try {
    checker.check(outcome);
  } catch (const Error& error) {
    outcome.status = error.code();
    outcome.reason = error.what();
  }
}

}  // namespace

std::vector<measure::Outcome> check(const CheckOptions& options, Lab& lab, const Progress& progress,
                                    std::stop_token stop) {
  const auto engines = lab.engines();
  const auto& names = options.engines;
  for (const auto& name : names) engine_named(engines, name);
  for (const auto rows : options.rows)
    if (rows < 1) throw Error(Status::Invalid, fmt::format("rows {}: expected at least 1", rows));
  const auto facts = lab.model(options.model);
  Checker checker(options, facts, lab);
  std::vector<measure::Outcome> outcomes;
  for (const auto& name : names) {
    if (progress)
      progress({"checking " + name,
                static_cast<double>(outcomes.size()) / static_cast<double>(names.size()),
                {}});
    auto outcome = start_outcome(options, name, facts, engines, lab);
    if (stop.stop_requested()) {
      outcome.status = Status::Skipped;
      outcome.reason = "interrupted";
    } else if (outcome.status == Status::Ok) {
      check_one(checker, outcome);
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace inferometer::campaign
