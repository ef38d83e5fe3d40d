// SPDX-License-Identifier: Apache-2.0
#include "campaign/seat.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "measure/pool.hpp"

namespace inferometer::campaign {
namespace {

std::string dims_key(const measure::Cell& cell) {
  auto key = cell.model;
  for (const auto& [name, value] : cell.params)
    if (name.starts_with("dim.")) key += " " + name + "=" + to_string(value);
  return key;
}

const Golden& golden_for(Session& session, const measure::Cell& cell, const Info& info) {
  const auto rows = golden_rows(session.options, batch_rows(info));
  const auto key =
      (info.synthetic ? info.engine + " " : "") + dims_key(cell) + fmt::format(" rows {}", rows);
  const auto found = session.goldens.find(key);
  if (found != session.goldens.end()) return found->second;
  session.golden_models.insert(cell.model);
  const GoldenRequest request{cell,
                              info,
                              session.models.at(cell.model).hash,
                              rows,
                              session.options.seed,
                              &session.options.expect,
                              session.options.cache_dir};
  const auto start_ns = session.lab.now_ns();
  const auto& golden =
      session.goldens.emplace(key, make_golden(request, session.lab)).first->second;
  session.golden_ns += session.lab.now_ns() - start_ns;
  return golden;
}

std::size_t total_bytes(const std::vector<Tensor>& tensors) {
  std::size_t bytes = 0;
  for (const auto& tensor : tensors) bytes += tensor.view().size_bytes();
  return bytes;
}

// Of the factors; tf32 is f32 on a CPU.
DType dtype_of(const std::string& precision) {
  if (precision == "bf16") return DType::BF16;
  if (precision == "fp16") return DType::F16;
  return precision == "int8" ? DType::I8 : DType::F32;
}

// A machine's peak is the most that it was ever seen to do: a profile of a quieter moment counts.
double best_peak(const Session& session, std::int64_t threads, DType dtype, double now) {
  if (!session.profile) return now;
  for (const auto& peak : session.profile->compute)
    if (peak.threads == threads && peak.dtype == dtype) now = std::max(now, peak.flops_per_s);
  return now;
}

double best_bandwidth(const Session& session, std::int64_t threads, double now) {
  if (!session.profile) return now;
  for (const auto& peak : session.profile->bandwidth)
    if (peak.threads == threads) now = std::max(now, peak.bytes_per_s);
  return now;
}

void put_peaks(Session& session, std::int64_t threads, DType dtype, Json& values) {
  const auto peaks = session.lab.peaks(threads, dtype);
  if (!peaks.flops_per_s || !peaks.bytes_per_s) {
    values["peak_flops_per_s"] = nullptr;
    values["peak_flops_per_s_why"] = peaks.why;
    return;
  }
  values["peak_flops_per_s"] = best_peak(session, threads, dtype, *peaks.flops_per_s);
  values["peak_flops_spread"] = peaks.flops_spread;
  values["peak_bandwidth_bytes_per_s"] = best_bandwidth(session, threads, *peaks.bytes_per_s);
  values["peak_bandwidth_spread"] = peaks.bytes_spread;
}

void put_roofline(Session& session, const Seat& seat, const std::vector<Tensor>& inputs,
                  const std::vector<Tensor>& outputs, Json& values) {
  const auto& facts = session.models.at(seat.entrant->contender->cell.model);
  // Who makes its outputs up does none of the counted work.
  if (seat.info.synthetic || !facts.macs || !facts.parameters) return;
  const auto rows = batch_rows(seat.info);
  const auto dtype = dtype_of(text_param(seat.info.requested, "precision", "fp32"));
  values["flops"] = 2 * *facts.macs * rows;
  values["traffic_bytes"] = *facts.parameters * static_cast<std::int64_t>(size_bytes(dtype)) +
                            static_cast<std::int64_t>(total_bytes(inputs) + total_bytes(outputs));
  put_peaks(session, integer_param(seat.info.requested, "threads", 1), dtype, values);
}

Json facts_of(const Session& session, const std::string& model, const Info& info) {
  Json facts{{"engine_version", info.engine_version}, {"library", info.library},
             {"library_hash", info.library_hash},     {"model_hash", session.models.at(model).hash},
             {"effective_params", info.effective},    {"effective_proof", info.proof},
             {"input_seed", session.options.seed}};
  if (const auto* known = session.profile ? facts_of(*session.profile, info.engine) : nullptr;
      known && known->why.empty() && known->version == info.engine_version)
    facts["first_batch_ratio"] = known->first_batch_ratio;
  if (info.requested.contains("threads"))
    facts["cpus_allowed"] = integer_param(info.requested, "threads", 1);
  return facts;
}

void load_seat(Session& session, Seat& seat) {
  seat.worker = session.lab.worker(seat.entrant->contender->cell);
  auto report = seat.worker->load();
  seat.info = std::move(report.info);
  for (auto& cell : seat.cells) cell.values["worker_load_ns"] = report.load_ns;
}

// What is left of it anywhere is wrong for the batch that is compared.
void compute_other(Session& session, const Seat& seat) {
  const auto& golden = golden_for(session, seat.entrant->contender->cell, seat.info);
  const auto other =
      pool_batch(seat.info.inputs, golden.other_inputs, batch_rows(seat.info), session.lab, 1);
  seat.worker->prepare(other);
  seat.worker->block(1, process::Poison::On);
}

// The answer of the second inference: is it right?
void check_seat(Session& session, Seat& seat) {
  const auto& contender = *seat.entrant->contender;
  compute_other(session, seat);
  const auto& inputs = batch_for(session, seat);
  seat.worker->prepare(inputs);
  seat.worker->block(1, process::Poison::On);
  const auto outputs = seat.worker->outputs();
  seat.worker->park();  // the roofline's peaks may be measured next
  const auto parity =
      compare_with(golden_for(session, contender.cell, seat.info), seat.info.outputs, outputs,
                   text_param(seat.info.requested, "precision", "fp32"),
                   session.models.at(contender.cell.model).softmaxes);
  auto values = facts_of(session, contender.cell.model, seat.info);
  put_roofline(session, seat, inputs, outputs, values);
  values.update(parity.values);
  for (auto& cell : seat.cells) {
    cell.values.update(values);
    cell.warnings = parity.warnings;
  }
  if (!parity.failure.empty()) throw Error(Status::Mismatch, parity.failure);
}

}  // namespace

std::int64_t golden_rows(const BenchOptions& options, std::int64_t rows) {
  const auto asked = *std::ranges::max_element(options.batch_sizes);
  return std::min(std::max(asked, rows), measure::kPoolRows);
}

const std::vector<Tensor>& batch_for(Session& session, const Seat& seat) {
  const auto& cell = seat.entrant->contender->cell;
  const auto& golden = golden_for(session, cell, seat.info);
  const auto rows = batch_rows(seat.info);
  const auto key = std::pair(dims_key(cell), rows);
  const auto found = session.batches.find(key);
  if (found != session.batches.end()) return found->second;
  return session.batches
      .emplace(key, pool_batch(seat.info.inputs, golden.inputs, rows, session.lab))
      .first->second;
}

measure::Outcome failed_with(measure::Outcome cell, const std::string& stage, const Error& error) {
  cell.status = error.code();
  cell.stage = stage;
  cell.reason = error.what();
  return cell;
}

Seat take_seat(Session& session, const Entrant& entrant) {
  Seat seat{.entrant = &entrant};
  for (const auto& workload : entrant.workloads) {
    const auto cell = entrant.contender->with(workload);
    seat.cells.push_back({.cell_id = entrant.contender->ids.at(workload),
                          .cell = cell,
                          .rerun = rerun_line(cell, session.options)});
  }
  auto stage = "load";
  try {
    load_seat(session, seat);
    stage = "parity";
    check_seat(session, seat);
  } catch (const Error& error) {
    for (auto& cell : seat.cells) cell = failed_with(std::move(cell), stage, error);
    seat.worker.reset();
  }
  return seat;
}

}  // namespace inferometer::campaign
