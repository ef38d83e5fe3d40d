// SPDX-License-Identifier: Apache-2.0
// Loading, with the files in the page cache, without them, and from the artifact cache: each time
// in a fresh process.
#include <fmt/format.h>

#include <set>

#include "base/file.hpp"
#include "campaign/pass.hpp"

namespace inferometer::campaign {
namespace {

// More than this of the files still cached, and a load isn't cold.
constexpr double kMostResident = 0.05;

struct Loaded {
  process::LoadReport report;
  std::int64_t first_ns = 0, second_ns = 0;
  std::set<std::filesystem::path> files;  ///< that loading maps
};

Loaded load_once(Session& session, const Seat& seat, const measure::Cell& cell) {
  Loaded loaded;
  const auto worker = session.lab.worker(cell);
  const auto before = worker->mapped_files();
  loaded.report = worker->load();
  worker->prepare(batch_for(session, seat));
  loaded.first_ns = worker->block(1, process::Poison::Off).wall_ns;
  loaded.second_ns = worker->block(1, process::Poison::Off).wall_ns;
  for (const auto& file : worker->mapped_files())
    if (!before.contains(file)) loaded.files.insert(file);
  return loaded;
}

std::string key_of(const std::string& state, const std::string& what) {
  return fmt::format("load_{}_{}_ns", state, what);
}

void put_load(Json& values, const std::string& state, const Loaded& loaded) {
  const auto& phases = loaded.report.info.load_phases_ns;
  for (const auto* phase : {"read", "convert", "compile", "allocate"}) {
    const auto found = phases.find(phase);
    if (found != phases.end())
      values[key_of(state, phase)] = found->second;
    else
      set_missing(values, key_of(state, phase), "the engine does not tell this phase apart");
  }
  values[key_of(state, "total")] = loaded.report.load_ns;
  values[key_of(state, "first_inference")] = loaded.first_ns;
  values[key_of(state, "second_inference")] = loaded.second_ns;
}

void put_cold(Session& session, const Seat& seat, const measure::Cell& cell,
              const std::set<std::filesystem::path>& mapped, Json& values) {
  std::vector<std::filesystem::path> files(mapped.begin(), mapped.end());
  for (const auto& file : session.models.at(cell.model).files) files.push_back(file);
  const auto cached = session.lab.drop_from_page_cache(files);
  values["load_cold_files_bytes"] = cached.size_bytes;
  values["load_cold_resident_share"] = cached.share();
  if (cached.share() <= kMostResident)
    return put_load(values, "cold", load_once(session, seat, cell));
  set_missing(values, key_of("cold", "total"),
              fmt::format("{:.0f} % of the files stay in the page cache (a tmpfs, or a process "
                          "that maps them)",
                          100 * cached.share()));
}

void put_artifact(Session& session, const Seat& seat, measure::Cell cell, Json& values) {
  const ScratchFolder scratch("inferometer-load");
  cell.params.insert_or_assign("cache_dir", scratch.path().string());
  load_once(session, seat, cell);  // leaves the artifact
  const auto loaded = load_once(session, seat, cell);
  if (loaded.report.info.from_artifact) return put_load(values, "artifact", loaded);
  set_missing(values, key_of("artifact", "total"), "the engine keeps no artifact of this model");
}

}  // namespace

std::optional<Json> load_pass(Session& session, const Seat& seat) {
  auto values = Json::object();
  auto cell = seat.entrant->contender->cell;
  cell.params.erase("cache_dir");
  const auto warm = load_once(session, seat, cell);
  put_load(values, "warm", warm);
  if (session.stop.stop_requested()) return std::nullopt;
  put_cold(session, seat, cell, warm.files, values);
  if (session.stop.stop_requested()) return std::nullopt;
  put_artifact(session, seat, cell, values);
  return values;
}

}  // namespace inferometer::campaign
