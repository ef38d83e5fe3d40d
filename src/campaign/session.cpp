// SPDX-License-Identifier: Apache-2.0
#include "campaign/session.hpp"

#include <algorithm>

namespace inferometer::campaign {

constexpr double kShareToTell = 0.03;

WorkMeter::WorkMeter(const Progress& progress, Lab& lab)
    : progress_(progress), lab_(lab), start_ns_(lab.now_ns()) {}

void WorkMeter::done(double work_s, const std::string& doing) {
  done_s_ += work_s;
  left_s_ = std::max(0.0, left_s_ - work_s);
  if (!progress_) return;
  const double all_s = done_s_ + left_s_;
  if (all_s > 0) share_ = std::max(share_, done_s_ / all_s);
  ProgressEvent event{doing, share_, std::nullopt};
  const auto elapsed_s = static_cast<double>(lab_.now_ns() - start_ns_) / 1e9;
  if (share_ >= kShareToTell && done_s_ > 0) event.left_s = elapsed_s * left_s_ / done_s_;
  progress_(event);
}

std::int64_t integer_param(const Params& params, const std::string& name, std::int64_t fallback) {
  const auto found = params.find(name);
  if (found == params.end()) return fallback;
  if (const auto* number = std::get_if<std::int64_t>(&found->second.base())) return *number;
  try {
    return std::stoll(to_string(found->second));
  } catch (const std::exception&) {
    return fallback;
  }
}

std::string text_param(const Params& params, const std::string& name, const std::string& fallback) {
  const auto found = params.find(name);
  return found == params.end() ? fallback : to_string(found->second);
}

std::int64_t batch_rows(const Params& params, const std::vector<Port>& inputs) {
  if (const auto rows = integer_param(params, "batch_size", 0); rows > 0) return rows;
  for (const auto& port : inputs) {
    if (!port.batch_axis) continue;
    const auto axis = static_cast<std::size_t>(*port.batch_axis);
    if (axis < port.shape.size() && port.shape[axis].size > 0) return port.shape[axis].size;
  }
  return 1;
}

std::int64_t batch_rows(const Info& info) {
  return batch_rows(info.requested, info.inputs);
}

void Session::record(Launch launch) {
  sink.append(to_json(launch));
  journal.launches.push_back(std::move(launch));
}

void Session::record(Round round) {
  sink.append(to_json(round));
  journal.rounds.push_back(std::move(round));
}

void Session::record(LaunchEnd end) {
  sink.append(to_json(end));
  journal.ends.push_back(std::move(end));
}

void Session::record(const measure::Outcome& outcome) {
  sink.append(outcome_line(outcome));
  keep_outcome(journal, outcome);
}

}  // namespace inferometer::campaign
