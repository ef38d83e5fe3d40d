// SPDX-License-Identifier: Apache-2.0
#include "campaign/journal_sense.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.hpp"
#include "campaign/life.hpp"
#include "campaign/session.hpp"
#include "campaign/summary.hpp"
#include "measure/canary.hpp"

namespace inferometer::campaign {
namespace {

using measure::Outcome;

// Figures are derived again by another build perhaps: the last digits of a double may differ.
constexpr double kSame = 1e-9;
constexpr std::size_t kShownBytes = 60;

bool same(const Json& a, const Json& b);

bool same_number(const Json& a, const Json& b) {
  const auto x = a.get<double>(), y = b.get<double>();
  return x == y || std::abs(x - y) <= kSame * std::max(std::abs(x), std::abs(y));
}

bool same_object(const Json& a, const Json& b) {
  for (const auto& [key, value] : a.items()) {
    const auto other = b.find(key);
    if (other == b.end() || !same(value, *other)) return false;
  }
  return a.size() == b.size();
}

// What is not finite is written as null.
bool is_nothing(const Json& json) {
  return json.is_null() || (json.is_number_float() && !std::isfinite(json.get<double>()));
}

bool same(const Json& a, const Json& b) {
  if (is_nothing(a) || is_nothing(b)) return is_nothing(a) && is_nothing(b);
  if (a.is_number_float() || b.is_number_float())
    return a.is_number() && b.is_number() && same_number(a, b);
  if (a.is_object() && b.is_object()) return same_object(a, b);
  if (a.is_array() && b.is_array()) return std::ranges::equal(a, b, same);
  return a == b;
}

std::string shown(const Json& json) {
  return printable(json.dump(-1, ' ', false, Json::error_handler_t::replace), kShownBytes);
}

// "roofline_share is 2 there and 0.4 by the rounds", at most a few.
std::string differences(const Json& line, const Json& derived) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> texts;
  std::size_t more = 0;
  const auto compare = [&](const std::string& key, const Json& there, const Json& here) {
    if (same(there, here)) return;
    if (texts.size() == kMost)
      ++more;
    else
      texts.push_back(fmt::format("{} is {} there and {} by the rounds", printable(key),
                                  shown(there), shown(here)));
  };
  for (const auto* key : {"status", "stage", "reason", "warnings"})
    compare(key, line.at(key), derived.at(key));
  const auto &there = line.at("values"), &here = derived.at("values");
  for (const auto& [key, value] : there.items()) compare(key, value, here.value(key, Json()));
  for (const auto& [key, value] : here.items())
    if (!there.contains(key)) compare(key, nullptr, value);
  return join(texts, "; ") + (more > 0 ? fmt::format(" (and {} more such)", more) : "");
}

std::string short_id(const std::string& cell_id) {
  return "cell " + printable(cell_id, 40);
}

bool several_in_flight(const measure::Cell& cell) {
  return integer_param(cell.params, "in_flight", 1) > 1 ||
         integer_param(cell.params, "streams", 1) > 1;
}

// Of throughput and latency: batches one after the other within the block's wall time.
std::string wrong_timing(const Block& block, const measure::Cell& cell) {
  if (block.batches < 1) return "it has no batch";
  if (block.samples < block.batches || block.samples % block.batches != 0)
    return fmt::format("{} samples are no whole rows of {} batches", block.samples, block.batches);
  const auto timings = block.timings_ns.size();
  const bool one_for_all = timings == 1 && several_in_flight(cell);
  if (!one_for_all && timings != static_cast<std::size_t>(block.batches))
    return fmt::format("{} timings for {} batches", timings, block.batches);
  const auto sum = std::accumulate(block.timings_ns.begin(), block.timings_ns.end(), 0.0);
  const auto rounding = static_cast<double>(timings);  // a nanosecond each
  if (sum > static_cast<double>(block.wall_ns) + rounding)
    return fmt::format("its timings are {:.0f} ns together, more than its wall time of {} ns", sum,
                       block.wall_ns);
  return "";
}

}  // namespace

void JournalSense::take(std::size_t number, Line line) {
  if (!std::holds_alternative<Outcome>(line)) check_outcomes();
  number_ = number;
  std::visit([this](auto&& each) { take(std::forward<decltype(each)>(each)); }, std::move(line));
}

void JournalSense::end() {
  check_outcomes();
}

void JournalSense::take(Header header) {
  journal_.header = std::move(header);
}

void JournalSense::take(Launch launch) {
  const auto name = fmt::format("launch {} of '{}'", launch.launch, printable(launch.group));
  Course course{.rounds = launch.rounds};
  for (const auto& cell : launch.cells) cells_.insert(cell.cell_id);
  for (const auto& cell : launch.cells)
    if (!course.cells.emplace(cell.cell_id, cell.cell).second)
      problem(fmt::format("{} has {} twice", name, short_id(cell.cell_id)));
  for (const auto& control : launch.controls)
    if (!course.cells.contains(control))
      problem(
          fmt::format("the control of {}, {}, is not among its cells", name, short_id(control)));
  if (launch.launch < last_launch_)
    problem(fmt::format("{} follows launch {}: numbers grow", name, last_launch_));
  last_launch_ = std::max(last_launch_, launch.launch);
  if (!courses_.emplace(std::pair(launch.launch, launch.group), std::move(course)).second)
    problem(fmt::format("{} stands twice: launches are never merged", name));
  journal_.launches.push_back(std::move(launch));
}

JournalSense::Course* JournalSense::course_of(std::int64_t launch, const std::string& group,
                                              const std::string& what) {
  const auto found = courses_.find({launch, group});
  if (found == courses_.end()) {
    problem(fmt::format("{} of launch {} of '{}': no such launch stands before it", what, launch,
                        printable(group)));
    return nullptr;
  }
  if (found->second.ended)
    problem(fmt::format("{} of launch {} of '{}': that launch has ended", what, launch,
                        printable(group)));
  return &found->second;
}

void JournalSense::take(Round round) {
  const auto name = fmt::format("round {}", round.round);
  if (auto* course = course_of(round.launch, round.group, name)) {
    check_order(round, *course, name);
    check_canary(round, *course);
    check_blocks(round, *course, name);
    course->last = std::max(course->last, round.round);
  }
  journal_.rounds.push_back(std::move(round));
}

void JournalSense::check_order(const Round& round, const Course& course, const std::string& name) {
  if (round.round == 0) return;
  if (round.round > course.rounds)
    problem(fmt::format("{} of a launch of {} rounds", name, course.rounds));
  if (round.round <= course.last)
    problem(fmt::format("{} follows round {}: it stands twice or out of order", name, course.last));
  else if (round.round > course.last + 1)
    problem(fmt::format("{} follows round {}: lines between them are missing", name, course.last));
}

// Short rounds share a canary: the first of them has what it said before, the last what it said
// after, and all were rejected or none.
void JournalSense::check_canary(const Round& round, Course& course) {
  if (round.round == 0) return;
  if (const auto before = reading_of(round, "before")) {
    course.before = before;
    course.between.clear();
  }
  course.between.push_back({number_, round.round, round.rejected});
  const auto after = reading_of(round, "after");
  if (!after) return;
  const bool changed = course.before && measure::changed_within(*course.before, *after);
  for (const auto& each : course.between)
    if (each.rejected != changed)
      tell_(each.line, fmt::format("round {} is {}rejected, but its canary {}", each.round,
                                   each.rejected ? "" : "not ",
                                   changed ? "changed within it" : "did not change within it"));
  course.between.clear();
  course.before = after;
}

void JournalSense::check_blocks(const Round& round, Course& course, const std::string& name) {
  std::set<std::string> seen;
  for (const auto& block : round.blocks) {
    std::string wrong;
    for (const auto& id : block.cell_ids) {
      const auto cell = course.cells.find(id);
      if (cell == course.cells.end()) {
        problem(fmt::format("{}: its launch did not announce {}", name, short_id(id)));
        continue;
      }
      auto& met = round.round == 0 ? course.passed : seen;
      if (!met.insert(id).second) problem(fmt::format("{} has {} twice", name, short_id(id)));
      const auto& workload = cell->second.workload;
      if (timed(workload) != (round.round > 0))
        problem(fmt::format("{}: {} measures {}, which belongs into {}", name, short_id(id),
                            printable(workload), round.round > 0 ? "round 0" : "later rounds"));
      else if (timed(workload))
        wrong = wrong_timing(block, cell->second);
    }
    if (!wrong.empty())
      problem(
          fmt::format("{}, the block of {}: {}", name, short_id(block.cell_ids.front()), wrong));
  }
}

void JournalSense::take(LaunchEnd end) {
  if (auto* course = course_of(end.launch, end.group, "the end")) course->ended = true;
  journal_.ends.push_back(std::move(end));
}

void JournalSense::take(Outcome outcome) {
  if (outcome.status == Status::Ok && !cells_.contains(outcome.cell_id))
    problem(fmt::format("{} has an outcome, but no launch", short_id(outcome.cell_id)));
  keep_outcome(journal_, outcome);
  outcomes_.emplace_back(number_, std::move(outcome));
}

// Failures are written as they happen and stand for themselves; the others are a convenience for
// other readers, and must be what the rounds say.
void JournalSense::check_outcomes() {
  std::erase_if(outcomes_, [](const auto& each) {
    return each.second.status != Status::Ok && each.second.status != Status::Skipped;
  });
  if (outcomes_.empty()) return;
  const auto derived = summarise(journal_);
  for (const auto& [number, outcome] : outcomes_) {
    const auto found = std::ranges::find(derived, outcome.cell_id, &Outcome::cell_id);
    const auto difference = differences(measure::to_json(outcome), measure::to_json(*found));
    if (!difference.empty())
      tell_(number, fmt::format("the outcome of {}: {}", short_id(outcome.cell_id), difference));
  }
  outcomes_.clear();
}

}  // namespace inferometer::campaign
