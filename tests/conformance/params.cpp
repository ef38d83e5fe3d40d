// SPDX-License-Identifier: Apache-2.0
// Params: described, checked, honoured or refused.
#include "base/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/cpu.hpp"
#include "suite.hpp"

namespace inferometer::conformance {
namespace {

void described(const Bench& bench) {
  for (const auto& spec : core::own_params(bench.plugin())) {
    expect(!spec.name.empty() && !spec.help.empty(),
           fmt::format("param \"{}\" has no help", spec.name));
    const ParamValue value = checked(spec, spec.fallback);
    expect(value == spec.fallback,
           fmt::format("param \"{}\": its default is of another type", spec.name));
  }
}

void unknown(const Bench& bench) {
  expect_error(Status::Invalid, "thread=2",
               [&] { bench.load(bench.model("tiny_mlp"), {{"thread", 2}}); });
}

void out_of_domain(const Bench& bench) {
  expect_error(Status::Invalid, "threads=-3",
               [&] { bench.load(bench.model("tiny_mlp"), {{"threads", -3}}); });
  expect_error(Status::Invalid, "batch_size=many",
               [&] { bench.load(bench.model("tiny_mlp"), {{"batch_size", "many"}}); });
}

// Taken and in force, or refused; never ignored.
template <int kIndex>
void precision(const Bench& bench) {
  static constexpr const char* kWords[] = {"tf32", "bf16", "fp16", "int8"};
  const std::string word = kWords[kIndex];
  try {
    const Info info = bench.load(bench.model("tiny_cnn"), {{"precision", word}})->info();
    const auto found = info.effective.find("precision");
    expect(found != info.effective.end() && found->second == word,
           fmt::format("precision={} is taken but not in force", word));
  } catch (const Error& error) {
    expect(error.code() == Status::Unsupported,
           fmt::format("precision={}: {}", word, error.what()));
  }
}

void precision_default(const Bench& bench) {
  const Info info = bench.load(bench.model("tiny_cnn"))->info();
  const auto found = info.effective.find("precision");
  expect(found != info.effective.end(), "the effective precision isn't told");
  expect(found->second == "fp32", "the effective precision is " + found->second);
  expect(info.proof.contains("precision"), "precision has no proof");
}

void device(const Bench& bench) {
  const auto devices = bench.probe().status.devices;
  if (std::find(devices.begin(), devices.end(), "cuda:7") != devices.end()) return;
  expect_error(Status::Unsupported, "device=cuda:7",
               [&] { bench.load(bench.model("tiny_mlp"), {{"device", "cuda:7"}}); });
}

void threads(const Bench& bench) {
  const auto path = bench.model("tiny_cnn");
  for (const int count : {1, 2}) {
    const auto model = bench.load(path, {{"threads", count}});
    expect(model->info().effective.contains("threads"),
           "the effective number of threads isn't told");
    const auto inputs = noise_for(*model, 3);
    expect_close(model->predict(views(inputs), {}), bench.golden(path, views(inputs)),
                 fmt::format("threads={}", count));
  }
}

std::map<std::string, std::string> cpus_of_threads() {
  std::map<std::string, std::string> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("Cpus_allowed_list:"))
        found[task.path().filename()] = line.substr(line.find('\t') + 1);
  }
  return found;
}

// Whatever threads an engine starts, they stay on the CPUs that were given.
void cpus(const Bench& bench) {
  CpuList some = affinity();
  if (some.size() > 1) some.erase(some.begin());
  const std::string given = cpu_list_text(some);
  const auto before = cpus_of_threads();
  const auto model =
      bench.load(bench.model("tiny_cnn"), {{"cpus", given},
                                           {"threads", static_cast<std::int64_t>(some.size())},
                                           {"batch_size", 2},
                                           {"in_flight", 3}});
  const auto inputs = noise_for(*model, 9);
  model->predict(views(inputs), {});
  for (const auto& [task, list] : cpus_of_threads()) {
    if (const auto known = before.find(task); known != before.end())
      expect(list == known->second, "a thread of the caller was moved to CPUs " + list);
    else
      expect(list == given, fmt::format("cpus={}: a new thread may run on {}", given, list));
  }
}

void missing_library(const Bench& bench) {
  expect_error(Status::Unavailable, "library=/nowhere/libengine.so", [&] {
    bench.load(bench.model("tiny_mlp"), {{"library", "/nowhere/libengine.so"}});
  });
}

void library_of_another_kind(const Bench& bench) {
  const auto path = bench.model("tiny_mlp");
  expect_error(Status::Unavailable, "a model file as library",
               [&] { bench.load(path, {{"library", path.string()}}); });
}

void artifact_cache(const Bench& bench) {
  const auto cache = bench.folder() / "cache";
  std::filesystem::remove_all(cache);
  const auto path = bench.model("tiny_cnn");
  const auto first = bench.load(path, {{"cache_dir", cache.string()}, {"batch_size", 4}});
  expect(!first->info().from_artifact, "an empty cache had an artifact");
  bool wrote = false;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cache))
    wrote = wrote || entry.file_size() > 0;
  const auto second = bench.load(path, {{"cache_dir", cache.string()}, {"batch_size", 4}});
  expect(second->info().from_artifact == wrote,
         "an artifact was kept but not used again, or the other way round");
  const auto inputs = noise_for(*first, 5);
  expect_same_bits(second->predict(views(inputs), {}), first->predict(views(inputs), {}),
                   "from the cache");
  const auto found = second->info().effective.find("precision");
  expect(found != second->info().effective.end() && found->second == "fp32",
         "precision after the cache");
}

}  // namespace

std::vector<Case> param_cases() {
  return {{"cpus", cpus},
          {"params_described", described},
          {"param_unknown", unknown},
          {"param_out_of_domain", out_of_domain},
          {"precision_default", precision_default},
          {"precision_tf32", precision<0>},
          {"precision_bf16", precision<1>},
          {"precision_fp16", precision<2>},
          {"precision_int8", precision<3>},
          {"device_absent", device},
          {"threads", threads},
          {"missing_library", missing_library},
          {"library_of_another_kind", library_of_another_kind},
          {"artifact_cache", artifact_cache}};
}

}  // namespace inferometer::conformance
