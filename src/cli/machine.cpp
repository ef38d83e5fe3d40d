// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.hpp"
#include "campaign/machine_profile.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/common.hpp"
#include "cli/engine_names.hpp"
#include "cli/table.hpp"
#include "measure/environment.hpp"

namespace inferometer::cli {
namespace {

using campaign::MachineProfile;

struct Given {
  campaign::MachineOptions asked;
  std::string engines;
  bool refresh = false;
  std::optional<std::string> cache_dir;
};

std::string percent(std::optional<double> share) {
  return share ? fmt::format("{:.2f} %", 100 * *share) : "-";
}

std::string compute_text(const MachineProfile& profile) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& peak : profile.compute)
    rows.push_back({std::string(to_string(peak.dtype)), std::to_string(peak.threads),
                    short_count_text(peak.flops_per_s) + "op/s", percent(peak.spread), peak.isa});
  return table_text({{"dtype"},
                     {"threads", Align::Right},
                     {"peak", Align::Right},
                     {"spread", Align::Right},
                     {"instructions"}},
                    rows);
}

std::string bandwidth_text(const MachineProfile& profile) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& peak : profile.bandwidth)
    rows.push_back({std::to_string(peak.threads), short_count_text(peak.bytes_per_s) + "B/s",
                    percent(peak.spread)});
  return table_text(
      {{"threads", Align::Right}, {"bandwidth", Align::Right}, {"spread", Align::Right}}, rows);
}

std::string noise_text(const campaign::Noise& noise) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& error : noise.errors)
    rows.push_back({fmt::format("{} s", error.window_ns / 1'000'000'000),
                    percent(error.sequential_rms), percent(error.interleaved_rms)});
  return table_text({{"each measured for"},
                     {"error one after the other", Align::Right},
                     {"in turns", Align::Right}},
                    rows);
}

std::string engines_text(const MachineProfile& profile) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& facts : profile.engines) {
    if (facts.why.empty())
      rows.push_back({facts.engine, fmt::format("{:.2f} s", facts.load_s),
                      short_count_text(facts.flops_per_s) + "op/s",
                      fmt::format("{:.3f} [{:.3f}, {:.3f}]", facts.first_batch_ratio,
                                  facts.first_batch_lower, facts.first_batch_upper),
                      facts.first_batch_biased() ? "biased" : "unbiased"});
    else
      rows.push_back({facts.engine, "-", "-", "-", facts.why});
  }
  return table_text({{"engine"},
                     {"load", Align::Right},
                     {"speed", Align::Right},
                     {"first batch after waking", Align::Right},
                     {"verdict, or why not"}},
                    rows);
}

std::string list_text(std::string_view title, const std::vector<std::string>& lines) {
  auto text = fmt::format("\n{}\n", title);
  for (const auto& line : lines) text += fmt::format("  {}\n", printable(line, 500));
  return lines.empty() ? "" : text;
}

std::string text_of(const MachineProfile& profile) {
  const auto& cpu = profile.machine.at("cpu");
  auto text = facts_text({{"machine", profile.machine_id},
                          {"CPU", printable(cpu.value("model name", ""))},
                          {"CPUs allowed", cpu.value("affinity", "")},
                          {"measured", profile.time},
                          {"verdict", profile.noise.text}});
  text += "\n" + compute_text(profile) + "\n" + bandwidth_text(profile) + "\n" +
          noise_text(profile.noise);
  if (!profile.engines.empty()) text += "\n" + engines_text(profile);
  text += list_text("Unavailable here:", profile.unavailable);
  text += list_text("Advice:", profile.advice);
  return text;
}

campaign::MachineOptions asked_of(const Given& given, campaign::Lab& lab) {
  auto asked = given.asked;
  const auto engines = lab.engines();
  asked.engines =
      given.engines.empty() ? usual_engines(engines) : chosen_engines(given.engines, engines);
  campaign::check_machine_options(asked, lab);
  return asked;
}

// What was measured is printed even where it can't be kept.
std::string keep(const MachineProfile& profile, const std::filesystem::path& cache_dir) {
  if (cache_dir.empty()) return "";
  try {
    campaign::keep_profile(cache_dir, profile);
    return fmt::format("\nkept in {}; --refresh measures anew\n", cache_dir.string());
  } catch (const Error& error) {
    return fmt::format("\nnot kept: {}\n", error.what());
  }
}

Reply machine(const Given& given, const Console& console) {
  const auto cache_dir = cache_folder(given.cache_dir);
  const auto lab = campaign::make_lab();
  const auto asked = asked_of(given, *lab);
  if (!given.refresh)
    if (const auto kept = campaign::kept_profile(cache_dir, measure::machine_id(lab->machine())))
      return {.data = campaign::to_json(*kept),
              .text = text_of(*kept) +
                      fmt::format("\nkept in {}; --refresh measures anew\n", cache_dir.string())};
  const auto profile = campaign::measure_machine(asked, *lab, console.progress, console.stop());
  if (profile)
    return {.data = campaign::to_json(*profile),
            .text = text_of(*profile) + keep(*profile, cache_dir)};
  return {.text = "interrupted: half a profile is none\n",
          .status = Status::Skipped,
          .exit = exit_code(Status::Skipped)};
}

}  // namespace

Action declare_machine(Options& options) {
  const auto given = std::make_shared<Given>();
  options.add("--seconds", given->asked.seconds, "S",
              fmt::format("How long to watch the noise; default {:g}", given->asked.seconds));
  options.add("--engines", given->engines, "A,B",
              "Engines to look at; default: every available one but null and reference");
  options.add_flag("--refresh", given->refresh, "Measure anew, whatever is kept");
  add_cache_dir(options, given->cache_dir);
  return [given](const Console& console) { return machine(*given, console); };
}

}  // namespace inferometer::cli
