// SPDX-License-Identifier: Apache-2.0
// A journal of two engines in a laboratory without machine, as lines to be spoilt. For tests.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "campaign/bench.hpp"
#include "campaign/fake_lab.hpp"

namespace inferometer::campaign {

using Lines = std::vector<Json>;

inline Lines lines_of(std::string_view text) {
  Lines lines;
  LineReader reader(text, "lines");
  while (const auto line = reader.next()) lines.push_back(parse_json(*line, "line"));
  return lines;
}

inline std::string text_of(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += line_text(line);
  return text;
}

/// A file of this test's own that goes with it.
struct ScratchFile {
  explicit ScratchFile(const std::string& name)
      : path(std::filesystem::temp_directory_path() /
             ("inferometer_" + std::to_string(::getpid()) + "_" + name)) {
    std::filesystem::remove(path);
  }
  ~ScratchFile() { std::filesystem::remove(path); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  std::filesystem::path path;
};

inline BenchOptions small_bench() {
  BenchOptions options;
  options.models = {"m.onnx"};
  options.engines = {"slow", "fast"};
  options.rounds = 4;
  return options;
}

/// What bench writes of `options` in `lab`.
inline std::string journal_text(FakeLab& lab, BenchOptions options = small_bench()) {
  const ScratchFile file("journal.jsonl");
  options.journal = file.path;
  bench(options, lab, {});
  return read_text(file.path);
}

/// Places of the lines of one kind.
inline std::vector<std::size_t> places_of(const Lines& lines, const std::string& kind) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i].at("line") == kind) places.push_back(i);
  return places;
}

/// Every place in `json` below `path`, of lists the first element only.
inline void add_places(const Json& json, const Json::json_pointer& path,
                       std::vector<Json::json_pointer>& places) {
  places.push_back(path);
  if (json.is_object())
    for (const auto& [key, value] : json.items()) add_places(value, path / key, places);
  if (json.is_array() && !json.empty()) add_places(json[0], path / 0, places);
}

/// A small journal with something odd in every place of the first line of every kind, one at a
/// time.
template <class Visit>
void each_oddity(const std::string& workload, Visit visit) {
  const Json odd[] = {nullptr, -1, INT64_MAX,     UINT64_MAX,    INT64_MIN,      1e300,
                      0.5,     "", "unavailable", Json::array(), Json::object(), Json{1, 2}};
  FakeLab lab;
  lab.machine_state = {{"steal_ns", 3}};
  auto options = small_bench();
  options.rounds = 2;
  options.block_s = 0.002;
  options.workloads = {workload};
  auto lines = lines_of(journal_text(lab, options));
  lines.resize(places_of(lines, "outcome").front() + 1);
  for (const auto& spec : journal_lines()) {
    const auto at = places_of(lines, std::string(spec.name)).front();
    std::vector<Json::json_pointer> places;
    add_places(lines[at], Json::json_pointer(), places);
    for (const auto& place : places)
      for (const auto& value : odd) {
        auto spoilt = lines;
        spoilt[at][place] = value;
        visit(text_of(spoilt), place.to_string() + " = " + value.dump());
      }
  }
}

}  // namespace inferometer::campaign
