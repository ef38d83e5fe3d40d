// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "campaign/machine_profile.hpp"

namespace inferometer::campaign {
namespace {

constexpr const char* kUnfit = "unfit";  // its peaks and engines would mislead for good
constexpr std::size_t kMostBytes = 1u << 20;

// Members that JSON carries as they are, each named once, for both directions.
template <class Peak, class Visit>
  requires std::same_as<std::remove_const_t<Peak>, ComputePeak>
void each_member(Peak& peak, Visit visit) {
  visit("threads", peak.threads);
  visit("isa", peak.isa);
  visit("flops_per_s", peak.flops_per_s);
  visit("spread", peak.spread);
}

template <class Peak, class Visit>
  requires std::same_as<std::remove_const_t<Peak>, BandwidthPeak>
void each_member(Peak& peak, Visit visit) {
  visit("threads", peak.threads);
  visit("bytes_per_s", peak.bytes_per_s);
  visit("spread", peak.spread);
}

template <class Facts, class Visit>
  requires std::same_as<std::remove_const_t<Facts>, EngineFacts>
void each_member(Facts& facts, Visit visit) {
  visit("engine", facts.engine);
  visit("version", facts.version);
  visit("why", facts.why);
  visit("load_s", facts.load_s);
  visit("flops_per_s", facts.flops_per_s);
  visit("first_batch_ratio", facts.first_batch_ratio);
  visit("first_batch_lower", facts.first_batch_lower);
  visit("first_batch_upper", facts.first_batch_upper);
}

template <class Profile, class Visit>
  requires std::same_as<std::remove_const_t<Profile>, MachineProfile>
void each_member(Profile& profile, Visit visit) {
  visit("machine_id", profile.machine_id);
  visit("time", profile.time);
  visit("machine", profile.machine);
  visit("unavailable", profile.unavailable);
  visit("advice", profile.advice);
}

template <class T>
Json members_of(const T& from) {
  auto json = Json::object();
  each_member(from, [&](const char* key, const auto& member) { json[key] = member; });
  return json;
}

template <class T>
T from_members(const Json& json) {
  T to;
  each_member(to, [&](const char* key, auto& member) {
    member = json.at(key).get<std::remove_cvref_t<decltype(member)>>();
  });
  return to;
}

template <class T>
Json list_of(const std::vector<T>& items) {
  auto list = Json::array();
  for (const auto& item : items) list.push_back(members_of(item));
  return list;
}

template <class T>
std::vector<T> from_list(const Json& json) {
  std::vector<T> items;
  for (const auto& item : json) items.push_back(from_members<T>(item));
  return items;
}

Json or_null(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

std::optional<double> from_null(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

Json to_json(const Noise& noise) {
  auto errors = Json::array();
  for (const auto& error : noise.errors)
    errors.push_back({{"window_ns", error.window_ns},
                      {"sequential_rms", or_null(error.sequential_rms)},
                      {"interleaved_rms", or_null(error.interleaved_rms)},
                      {"pairs", error.pairs}});
  return {{"seconds", noise.seconds},
          {"verdict", noise.verdict},
          {"text", noise.text},
          {"errors", std::move(errors)}};
}

Noise noise_from_json(const Json& json) {
  Noise noise{json.at("seconds"), json.at("verdict"), json.at("text"), {}};
  for (const auto& error : json.at("errors"))
    noise.errors.push_back({error.at("window_ns"), from_null(error.at("sequential_rms")),
                            from_null(error.at("interleaved_rms")), error.at("pairs")});
  return noise;
}

std::filesystem::path file_of(const std::filesystem::path& cache_dir, const std::string& id) {
  return cache_dir / fmt::format("machine-{}.json", id);
}

}  // namespace

Json to_json(const MachineProfile& profile) {
  auto json = members_of(profile);
  json["compute"] = list_of(profile.compute);
  for (std::size_t i = 0; i < profile.compute.size(); ++i)
    json["compute"][i]["dtype"] = to_string(profile.compute[i].dtype);
  json["bandwidth"] = list_of(profile.bandwidth);
  json["noise"] = to_json(profile.noise);
  json["engines"] = list_of(profile.engines);
  return json;
}

MachineProfile machine_profile_from_json(const Json& json) {
  try {
    auto profile = from_members<MachineProfile>(json);
    profile.compute = from_list<ComputePeak>(json.at("compute"));
    for (std::size_t i = 0; i < profile.compute.size(); ++i)
      profile.compute[i].dtype = parse_dtype(json.at("compute")[i].at("dtype").get<std::string>());
    profile.bandwidth = from_list<BandwidthPeak>(json.at("bandwidth"));
    profile.noise = noise_from_json(json.at("noise"));
    profile.engines = from_list<EngineFacts>(json.at("engines"));
    return profile;
  } catch (const nlohmann::json::exception& bad) {
    throw Error(Status::Invalid, fmt::format("machine profile: {}", bad.what()));
  }
}

std::optional<MachineProfile> kept_profile(const std::filesystem::path& cache_dir,
                                           const std::string& machine_id) {
  if (cache_dir.empty()) return std::nullopt;
  try {
    auto profile = machine_profile_from_json(
        parse_json(read_text(file_of(cache_dir, machine_id), kMostBytes), "machine profile"));
    if (profile.machine_id == machine_id && profile.noise.verdict != kUnfit) return profile;
  } catch (const Error&) {
    // Absent, or of another version: it is measured anew.
  }
  return std::nullopt;
}

void keep_profile(const std::filesystem::path& cache_dir, const MachineProfile& profile) {
  if (cache_dir.empty()) return;
  std::error_code ignored;  // the write says what is wrong
  std::filesystem::create_directories(cache_dir, ignored);
  write_text_atomic(file_of(cache_dir, profile.machine_id), to_json(profile).dump(1) + "\n");
}

const EngineFacts* facts_of(const MachineProfile& profile, const std::string& engine) {
  const auto found = std::ranges::find(profile.engines, engine, &EngineFacts::engine);
  return found == profile.engines.end() ? nullptr : &*found;
}

}  // namespace inferometer::campaign
