// SPDX-License-Identifier: Apache-2.0
#include "campaign/machine_advice.hpp"

#include <fmt/format.h>

#include <string_view>

namespace inferometer::campaign {
namespace {

using Sentences = std::vector<std::string>;

constexpr std::string_view kUnavailable = "unavailable: ";
constexpr double kTrouble = 0.02;  // an error that hides most differences between engines
constexpr double kSteal = 0.01;    // of one CPU

void on_noise(const Noise& noise, Sentences& advice) {
  if (noise.verdict == "unfit")
    advice.push_back(
        "Unfit for measuring now: intervals will be wide. Wait, or take another machine.");
  if (noise.verdict == "noisy")
    advice.push_back("Noisy: ratios need 5 launches or more, and absolute figures mean little.");
  for (const auto& error : noise.errors) {
    if (error.sequential_rms.value_or(0) <= kTrouble) continue;
    auto text = fmt::format(
        "Two equal programs measured one after the other for {} s each differ by {:.1f} % here",
        error.window_ns / 1'000'000'000, 100 * *error.sequential_rms);
    if (error.interleaved_rms)
      text += fmt::format(", in turns by {:.2f} %", 100 * *error.interleaved_rms);
    advice.push_back(text + ": compare within one bench, never two runs.");
  }
}

void on_state(const Json& fingerprint, double seconds, Sentences& advice) {
  const auto& change = fingerprint.at("change");
  const auto counted = [&](const char* key) {
    return change.contains(key) ? change.at(key).get<std::int64_t>() : 0;
  };
  const double stolen = static_cast<double>(counted("steal_ns")) / (1e9 * seconds);
  if (stolen > kSteal)
    advice.push_back(fmt::format(
        "The hypervisor gave {:.0f} % of a CPU to others while noise was watched.", 100 * stolen));
  if (counted("throttled") > 0)
    advice.push_back("The CPU quota of the control group throttled us: give threads below it.");
  if (counted("pages_swapped_out") > 0)
    advice.push_back("Memory was swapped out: close something, or measure smaller models.");
}

std::string text_at(const Json& machine, const char* group, const char* key) {
  const auto& value = machine.value(group, Json::object()).value(key, Json());
  return value.is_string() ? value.get<std::string>() : "";
}

void on_machine(const Json& machine, Sentences& advice) {
  const auto governor = text_at(machine, "cpu", "governor");
  if (!governor.empty() && !governor.starts_with(kUnavailable) && governor != "performance")
    advice.push_back(fmt::format(
        "CPU governor {}: clocks follow the load. It is recorded, never changed.", governor));
  if (text_at(machine, "cpu", "smt_active") == "1")
    advice.push_back("SMT is on: two CPUs may be one core; choose cores with -p cpus=LIST.");
  if (machine.value("hypervisor", Json::object()).value("present", false))
    advice.push_back("A virtual machine: neighbours can't be seen. Trust ratios.");
}

void on_engines(const std::vector<EngineFacts>& engines, Sentences& advice) {
  for (const auto& facts : engines)
    if (facts.first_batch_biased())
      advice.push_back(fmt::format(
          "{}: the first batch after waking takes {:.3f} times as long as the next ones; bench "
          "lets it pass unseen.",
          facts.engine, facts.first_batch_ratio));
}

}  // namespace

void add_unavailable(const Json& facts, const std::string& name,
                     std::vector<std::string>& unavailable) {
  if (facts.is_string()) {
    const auto& text = facts.get_ref<const std::string&>();
    if (text.starts_with(kUnavailable))
      unavailable.push_back(fmt::format("{}: {}", name, text.substr(kUnavailable.size())));
  }
  if (!facts.is_object()) return;
  for (const auto& [key, value] : facts.items())
    add_unavailable(value, name.empty() ? key : name + "." + key, unavailable);
}

std::vector<std::string> advice_of(const MachineProfile& profile, const Json& fingerprint) {
  Sentences advice;
  on_noise(profile.noise, advice);
  on_state(fingerprint, profile.noise.seconds, advice);
  on_engines(profile.engines, advice);
  on_machine(profile.machine, advice);
  if (advice.empty()) advice.emplace_back("Nothing to complain of.");
  return advice;
}

}  // namespace inferometer::campaign
