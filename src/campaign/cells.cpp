// SPDX-License-Identifier: Apache-2.0
#include "campaign/cells.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "campaign/pass.hpp"

namespace inferometer::campaign {
namespace {

constexpr std::string_view kRate = "rate";

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Status::Invalid, message);
}

void check_list(const std::vector<std::string>& words, const std::string& what) {
  if (words.empty()) refuse(fmt::format("nothing to measure: no {} given", what));
  std::set<std::string> seen;
  for (const auto& word : words)
    if (!seen.insert(word).second) refuse(fmt::format("{} '{}' is given twice", what, word));
}

void check_choices(const std::vector<ParamChoices>& params) {
  std::set<std::string> seen;
  for (const auto& choice : params) {
    if (choice.values.empty()) refuse(fmt::format("param '{}' has no value", choice.name));
    if (!seen.insert(choice.name).second)
      refuse(fmt::format("param '{}' is given twice; write -p {}=V1,V2", choice.name, choice.name));
    for (const auto* other : {"engine", "batch_size"})
      if (choice.name == other)
        refuse(fmt::format("param '{}' has an option of its own: --{}", other,
                           choice.name == "engine" ? "engines" : "batch-sizes"));
  }
}

void check_counts(const BenchOptions& options) {
  if (options.batch_sizes.empty()) refuse("nothing to measure: no batch size given");
  std::set<std::int64_t> seen;
  for (const auto batch : options.batch_sizes) {
    if (batch < 1 && batch != kOwnBatch)
      refuse(fmt::format("batch size {}: expected at least 1", batch));
    if (!seen.insert(batch).second) refuse(fmt::format("batch size {} is given twice", batch));
  }
  for (const auto& [what, count] :
       {std::pair("launches", options.launches), std::pair("rounds", options.rounds.value_or(1))})
    if (count < 1 || count > kMostRounds)
      refuse(fmt::format("{} {}: expected 1 to {}", what, count, kMostRounds));
  if (!(options.block_s > 0 && options.block_s <= kMostBlockS))  // NaN too
    refuse(fmt::format("a block of {:g} ms: expected above 0 and at most {:g} ms",
                       1e3 * options.block_s, 1e3 * kMostBlockS));
}

// Every combination of the params lists, the last list turning fastest.
std::vector<Params> product(const std::vector<ParamChoices>& lists) {
  std::vector<Params> all{{}};
  for (const auto& list : lists) {
    std::vector<Params> longer;
    for (const auto& params : all)
      for (const auto& value : list.values) {
        longer.push_back(params);
        longer.back().insert_or_assign(list.name, value);
      }
    all = std::move(longer);
  }
  return all;
}

std::string model_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string batch_text(const Contender& contender) {
  const auto found = contender.cell.params.find("batch_size");
  return found == contender.cell.params.end() ? "" : to_string(found->second);
}

using Key = std::pair<std::string, std::string>;  // model, batch size

std::vector<std::pair<Key, std::vector<std::size_t>>> buckets(
    const std::vector<Contender>& contenders, bool by_batch) {
  std::vector<std::pair<Key, std::vector<std::size_t>>> all;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const Key key{contenders[i].cell.model, by_batch ? batch_text(contenders[i]) : ""};
    const auto found =
        std::ranges::find(all, key, &std::pair<Key, std::vector<std::size_t>>::first);
    if (found == all.end())
      all.push_back({key, {i}});
    else
      found->second.push_back(i);
  }
  return all;
}

std::string group_name(const Key& key) {
  return key.second.empty() ? model_name(key.first)
                            : fmt::format("{} batch {}", model_name(key.first), key.second);
}

// The control and as many others as a group may have.
std::vector<std::vector<std::size_t>> parts_of(const std::vector<std::size_t>& members,
                                               std::size_t control, const Fits& fits) {
  std::vector<std::vector<std::size_t>> parts{{control}};
  for (const auto member : members) {
    if (member == control) continue;
    auto longer = parts.back();
    longer.push_back(member);
    const bool full = longer.size() > kGroupSize + 1 || (fits && !fits(longer));
    if (full && parts.back().size() > 1)
      parts.push_back({control, member});
    else
      parts.back() = std::move(longer);
  }
  return parts;
}

void split(const std::string& name, const std::vector<std::size_t>& members, std::size_t control,
           const Fits& fits, std::vector<Group>& groups) {
  auto parts = parts_of(members, control, fits);
  for (std::size_t part = 0; part < parts.size(); ++part)
    groups.push_back({parts.size() == 1 ? name : fmt::format("{} part {}", name, part + 1), control,
                      std::move(parts[part])});
}

std::string shapes_text(const std::vector<Port>& ports) {
  std::string text;
  for (const auto& port : ports) {
    text += fmt::format("{}:{}[", port.name, to_string(port.dtype));
    for (const auto& dim : port.shape)
      text += dim.symbol.empty() ? fmt::format("{},", dim.size) : fmt::format("{},", dim.symbol);
    text += "]";
  }
  return text;
}

std::string hash_text(const std::string& text) {
  const auto hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string shell_word(const std::string& word) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
  if (!word.empty() && word.find_first_not_of(kSafe) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char letter : word)
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

std::string params_words(const Params& params) {
  std::string words;
  for (const auto& [name, value] : params)
    words += " -p " + shell_word(name + "=" + to_string(value));
  return words;
}

// What is fed and what is expected, where they aren't the usual ones.
std::string data_words(std::uint64_t seed, const Expected& expect) {
  std::string words;
  if (seed != measure::kSeed) words += fmt::format(" --seed {}", seed);
  for (const auto& file : expect.input_files) words += " --input " + shell_word(file);
  for (const auto& file : expect.output_files) words += " --expect " + shell_word(file);
  return words;
}

std::string bound_words(const measure::LatencyBound& bound) {
  auto words = fmt::format(" --latency-bound-ms {}", static_cast<double>(bound.bound_ns) / 1e6);
  if (bound.percentile != measure::LatencyBound{}.percentile)
    words += fmt::format(" --latency-percentile {}", bound.percentile);
  return words;
}

}  // namespace

const std::vector<std::string>& workloads() {
  static const auto kWorkloads = [] {
    std::vector<std::string> all = {"throughput", "latency"};
    for (const auto& pass : passes()) all.emplace_back(pass.workload);
    return all;
  }();
  return kWorkloads;
}

const std::vector<std::string>& default_workloads() {
  static const std::vector<std::string> kDefault = {"throughput", "latency", "load", "memory"};
  return kDefault;
}

void check_workloads(const std::vector<std::string>& given) {
  check_list(given, "workload");
  for (const auto& workload : given)
    if (std::ranges::find(workloads(), workload) == workloads().end())
      throw Error(Status::Invalid,
                  fmt::format("unknown workload '{}': expected some of {}", printable(workload),
                              join(workloads())),
                  {{"workload", workload}, {"nearest", nearest(workload, workloads())}});
}

void check_options(const BenchOptions& options) {
  check_list(options.models, "model");
  check_list(options.engines, "engine");
  check_workloads(options.workloads);
  if (std::ranges::find(options.workloads, kRate) != options.workloads.end() &&
      !options.latency_bound)
    refuse("workload rate asks how much an engine does within a latency bound: none is given");
  check_choices(options.params);
  check_counts(options);
  if (!options.control.empty() &&
      std::ranges::find(options.engines, options.control) == options.engines.end())
    refuse(fmt::format("control '{}' is not measured: expected one of {}",
                       printable(options.control), join(options.engines)));
}

measure::Cell Contender::with(const std::string& workload) const {
  auto copy = cell;
  copy.workload = workload;
  return copy;
}

std::string label_of(const measure::Cell& cell, const std::vector<std::string>& varying) {
  auto label = cell.engine;
  if (const auto own = cell.params.find("label"); own != cell.params.end())
    label += " " + to_string(own->second);
  for (const auto& name : varying)
    if (const auto param = cell.params.find(name); param != cell.params.end() && name != "label")
      label += fmt::format(" {}={}", name, to_string(param->second));
  return label;
}

std::vector<Contender> expand(const BenchOptions& options) {
  std::vector<Contender> contenders;
  std::vector<std::string> varying;
  for (const auto& list : options.params)
    if (list.values.size() > 1) varying.push_back(list.name);
  for (const auto& model : options.models)
    for (const auto batch : options.batch_sizes)
      for (const auto& engine : options.engines)
        for (auto params : product(options.params)) {
          if (batch != kOwnBatch) params.insert_or_assign("batch_size", batch);
          measure::Cell cell{model, engine, "", std::move(params), ""};
          cell.label = label_of(cell, varying);
          contenders.push_back({std::move(cell), {}});
        }
  return contenders;
}

std::vector<Group> group(const std::vector<Contender>& contenders, const std::string& control,
                         const Fits& fits) {
  const auto fine = buckets(contenders, true);
  const bool alone =
      std::ranges::all_of(fine, [](const auto& bucket) { return bucket.second.size() == 1; });
  std::vector<Group> groups;
  for (const auto& [key, members] : alone ? buckets(contenders, false) : fine) {
    const auto chosen = std::ranges::find_if(
        members, [&](std::size_t i) { return contenders[i].cell.engine == control; });
    split(group_name(key), members, chosen == members.end() ? members.front() : *chosen, fits,
          groups);
  }
  return groups;
}

std::string cell_id(const measure::Cell& cell, const ModelFacts& facts, const EngineStatus& engine,
                    const std::string& plugin_hash,
                    const std::optional<measure::LatencyBound>& latency_bound) {
  Json identity = {{"model", facts.hash},
                   {"inputs", shapes_text(facts.inputs)},
                   {"engine", cell.engine},
                   {"plugin", plugin_hash},
                   {"version", engine.version},
                   {"library", engine.library_hash},
                   {"params", inferometer::to_json(cell.params)},
                   {"workload", cell.workload}};
  if (cell.workload == kRate && latency_bound)
    identity["latency_bound"] = {latency_bound->bound_ns, latency_bound->percentile};
  return hash_text(line_text(identity));
}

std::string rerun_line(const measure::Cell& cell, const BenchOptions& options) {
  const RunOptions usual;
  auto line =
      fmt::format("inferometer run {} --engine {}{} --workload {}", shell_word(cell.model),
                  shell_word(cell.engine), params_words(cell.params), shell_word(cell.workload));
  if (options.rounds) line += fmt::format(" --rounds {}", *options.rounds);
  if (options.block_s != usual.block_s)
    line += fmt::format(" --block-ms {:g}", 1e3 * options.block_s);
  if (cell.workload == kRate && options.latency_bound) line += bound_words(*options.latency_bound);
  if (cell.workload == "energy" && !options.power_log.empty())
    line += " --power-log " + shell_word(options.power_log.string());
  return line + data_words(options.seed, options.expect);
}

std::string check_line(const measure::Cell& cell, const CheckOptions& options) {
  auto line = fmt::format("inferometer check {} --engines {}{}", shell_word(cell.model),
                          shell_word(cell.engine), params_words(cell.params));
  if (!options.rows.empty()) line += fmt::format(" --rows {}", fmt::join(options.rows, ","));
  return line + data_words(options.seed, options.expect);
}

}  // namespace inferometer::campaign
