// SPDX-License-Identifier: Apache-2.0
#include "core/unified.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/cpu.hpp"
#include "base/params.hpp"
#include "base/text.hpp"
#include "inferometer/error.hpp"

namespace inferometer::core {
namespace {

constexpr const char* kDimPrefix = "dim.";
constexpr double kMostRows = 1 << 20;
constexpr double kMostThreads = 4096;

const ParamSpec kDimSpec = {
    .name = "dim", .type = ParamSpec::Type::Integer, .fallback = 1, .minimum = 1};

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<ParamSpec> declare() {
  using Type = ParamSpec::Type;
  using Affects = ParamSpec::Affects;
  return {
      {.name = "engine",
       .fallback = "auto",
       .help = "engine by name; auto = the first available one that accepts the model"},
      {.name = "device",
       .fallback = "cpu",
       .affects = Affects::Compile,
       .help = "where to compute: cpu, cuda:0"},
      {.name = "batch_size",
       .type = Type::Integer,
       .fallback = 1,
       .minimum = 1,
       .maximum = kMostRows,
       .knob = true,
       .affects = Affects::Compile,
       .help = "samples computed together; default 1, or the size that the file is fixed to"},
      {.name = "threads",
       .type = Type::Integer,
       .fallback = 1,
       .minimum = 1,
       .maximum = kMostThreads,
       .knob = true,
       .affects = Affects::Compile,
       .help = "CPU budget of the model; default: the CPUs that affinity and cgroup quota allow"},
      {.name = "cpus",
       .fallback = "",
       .help = "which CPUs, e.g. 0-3,6; default: any `threads` of the allowed ones. "
               "Given, a calling thread that computes itself is moved there meanwhile"},
      {.name = "streams",
       .type = Type::Integer,
       .fallback = 1,
       .minimum = 1,
       .maximum = kMostThreads,
       .knob = true,
       .affects = Affects::Compile,
       .help = "batches computing at once, sharing the threads; weights are held once"},
      {.name = "in_flight",
       .type = Type::Integer,
       .fallback = 1,
       .minimum = 1,
       .maximum = kMostThreads,
       .knob = true,
       .help = "batches queued, at least `streams` (the default)"},
      {.name = "precision",
       .fallback = "fp32",
       .choices = {"fp32", "tf32", "bf16", "fp16", "int8"},
       .knob = true,
       .affects = Affects::Compile,
       .help = "of the arithmetic; fp32 on every engine unless asked for otherwise"},
      {.name = "cache_dir",
       .fallback = "",
       .help = "folder of artifacts (optimised graphs, compiled objects); empty = off"},
      {.name = "isolation",
       .fallback = "none",
       .choices = {"none", "process"},
       .help = "process: the engine lives in a worker"},
      {.name = "library",
       .fallback = "",
       .help = "the engine's library file, instead of the one that is found"},
      {.name = "label",
       .fallback = "",
       .help = "a name of your own for this configuration, shown in reports"},
  };
}

// Takes dim.<symbol> out of `given`.
std::map<std::string, std::int64_t> take_dims(Params& given) {
  std::map<std::string, std::int64_t> dims;
  for (auto it = given.begin(); it != given.end();) {
    if (!it->first.starts_with(kDimPrefix)) {
      ++it;
      continue;
    }
    ParamSpec spec = kDimSpec;
    spec.name = it->first;
    dims[it->first.substr(std::string(kDimPrefix).size())] =
        std::get<std::int64_t>(checked(spec, it->second));
    it = given.erase(it);
  }
  return dims;
}

[[noreturn]] void contradiction(const std::string& param, std::int64_t value,
                                const std::string& why) {
  throw Error(Status::Invalid, fmt::format("param \"{}\" = {}: {}", param, value, why),
              {{"param", param}, {"value", std::to_string(value)}});
}

std::vector<int> allowed_cpus(const std::string& list) {
  std::vector<int> here = affinity();
  if (list.empty()) return here;
  const std::vector<int> asked = parse_cpu_list(list);
  for (const int cpu : asked) {
    if (std::find(here.begin(), here.end(), cpu) == here.end()) {
      throw Error(Status::Invalid,
                  fmt::format("param \"cpus\" = {}: CPU {} is not among those allowed here ({})",
                              list, cpu, cpu_list_text(here)),
                  {{"param", "cpus"}, {"value", list}});
    }
  }
  return asked;
}

CpuBudget budget_of(const Params& resolved, const Params& given) {
  const std::string list = std::get<std::string>(resolved.at("cpus"));
  CpuBudget budget{.allowed = allowed_cpus(list)};
  const auto most = static_cast<std::int64_t>(budget.allowed.size());
  const std::int64_t fallback =
      list.empty() ? std::min<std::int64_t>(default_threads(), most) : most;
  budget.threads =
      given.contains("threads") ? std::get<std::int64_t>(resolved.at("threads")) : fallback;
  if (budget.threads > most) {
    contradiction(
        "threads", budget.threads,
        fmt::format("only {} CPUs are allowed here ({})", most, cpu_list_text(budget.allowed)));
  }
  return budget;
}

void settle_streams(Resolved& resolved, const Params& given) {
  resolved.streams = std::get<std::int64_t>(resolved.params.at("streams"));
  if (resolved.streams > resolved.threads) {
    contradiction("streams", resolved.streams,
                  fmt::format("more than the {} threads that they share", resolved.threads));
  }
  resolved.in_flight = given.contains("in_flight")
                           ? std::get<std::int64_t>(resolved.params.at("in_flight"))
                           : resolved.streams;
  if (resolved.in_flight < resolved.streams) {
    contradiction("in_flight", resolved.in_flight,
                  fmt::format("fewer than the {} streams that they feed", resolved.streams));
  }
  resolved.params.insert_or_assign("in_flight", resolved.in_flight);
}

}  // namespace

const std::vector<ParamSpec>& unified_params() {
  static const std::vector<ParamSpec> specs = declare();
  return specs;
}

Resolved resolve_params(const Params& given, const std::vector<ParamSpec>& own) {
  Params rest = given;
  Resolved resolved;
  resolved.dims = take_dims(rest);
  std::vector<ParamSpec> specs = unified_params();
  specs.insert(specs.end(), own.begin(), own.end());
  resolved.params = resolve(specs, rest);
  if (given.contains("batch_size"))
    resolved.batch_size = std::get<std::int64_t>(resolved.params.at("batch_size"));
  CpuBudget budget = budget_of(resolved.params, given);
  resolved.threads = budget.threads;
  resolved.allowed = std::move(budget.allowed);
  resolved.params.insert_or_assign("threads", resolved.threads);
  settle_streams(resolved, given);
  return resolved;
}

std::string unknown_param(const Params& given, const std::vector<ParamSpec>& own) {
  for (const auto& [name, value] : given) {
    const auto same = [&wanted = name](const ParamSpec& spec) { return spec.name == wanted; };
    if (!name.starts_with(kDimPrefix) && std::ranges::none_of(unified_params(), same) &&
        std::ranges::none_of(own, same))
      return name;
  }
  return {};
}

CpuBudget cpu_budget(const Params& given) {
  Params budget;
  for (const char* name : {"threads", "cpus"})
    if (const auto found = given.find(name); found != given.end()) budget.insert(*found);
  return budget_of(resolve(unified_params(), budget), budget);
}

Params typed_params(const Params& given, const std::vector<ParamSpec>& own) {
  std::vector<ParamSpec> specs = unified_params();
  specs.insert(specs.end(), own.begin(), own.end());
  Params read = given;
  for (auto& [name, value] : read) {
    const auto* text = std::get_if<UntypedText>(&value);
    if (text == nullptr) continue;
    const auto same_name = [&wanted = name](const ParamSpec& spec) { return spec.name == wanted; };
    const auto spec = std::find_if(specs.begin(), specs.end(), same_name);
    std::optional<ParamValue> found;
    if (name.starts_with(kDimPrefix)) found = typed(kDimSpec, value);
    if (spec != specs.end()) found = typed(*spec, value);
    value = found.value_or(ParamValue(text->text));
  }
  return read;
}

std::string unified_text(const Params& given, const std::string& name) {
  const auto& specs = unified_params();
  const auto spec =
      std::find_if(specs.begin(), specs.end(), [&](const ParamSpec& s) { return s.name == name; });
  const auto value = given.find(name);
  return std::get<std::string>(
      checked(*spec, value == given.end() ? spec->fallback : value->second));
}

std::vector<int> choose_cpus(const std::vector<int>& allowed, std::int64_t count) {
  static std::atomic<std::size_t> next{0};
  const auto wanted = static_cast<std::size_t>(count);
  if (wanted >= allowed.size()) return allowed;
  const std::size_t start = next.fetch_add(wanted);
  std::vector<int> chosen;
  for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(allowed[(start + i) % allowed.size()]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace inferometer::core
